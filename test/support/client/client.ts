import { expect } from 'vitest';
import type * as z from 'zod';
import type * as responses from '../../../lib/api/responses.ts';
import { type OpenApi, OpenApiCheck } from './openapi.ts';

export type Application = z.output<typeof responses.Application>;
export type Chat = z.output<typeof responses.Chat>;
export type Message = z.output<typeof responses.Message>;
export type Messages = z.output<typeof responses.Messages>;
export type ApplicationPage = z.output<typeof responses.ApplicationPage>;
export type ChatPage = z.output<typeof responses.ChatPage>;
export type MessagePage = z.output<typeof responses.MessagePage>;
export type ChatMatchPage = z.output<typeof responses.ChatMatchPage>;
export type ApplicationMatchPage = z.output<typeof responses.ApplicationMatchPage>;
export type Problem = z.output<typeof responses.ProblemDocument>;

export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  /** The parsed JSON, or the text if it is not JSON. */
  body: Body;
}

export interface RequestOptions {
  /** Sent as JSON; a string or bytes are sent as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

const payloadOf = (body: unknown): string | Uint8Array<ArrayBuffer> | null => {
  if (body === undefined) return null;
  return typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
};

const exposed = ['Date', 'ETag', 'Link', 'Location', 'Retry-After', 'x-request-id'];

/**
 * A client of the HTTP API that checks each response against the contract's rules for all responses and against the
 * deployment's own OpenAPI document, and fails the test when one is violated. Paths are relative to the base URL; a
 * resource is named by its path, such as `/applications/{token}/chats/1`.
 */
export class Client {
  readonly base: string;
  readonly #adminKey: string | undefined;
  readonly #check: OpenApiCheck;

  private constructor(base: string, adminKey: string | undefined, document: OpenApi) {
    this.base = base;
    this.#adminKey = adminKey;
    this.#check = new OpenApiCheck(document);
  }

  /** @param adminKey sent only where the contract requires it */
  static async connect(base: string, adminKey?: string): Promise<Client> {
    const response = await fetch(`${base}/openapi.json`);
    return new Client(base, adminKey, (await response.json()) as OpenApi);
  }

  async call<Body = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<Body>> {
    const { body, headers } = options;
    const [pathname = ''] = path.split('?');
    const response = await fetch(this.base + path, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#adminKey !== undefined && pathname === '/applications' && { 'x-api-key': this.#adminKey }),
        ...headers,
      },
      body: payloadOf(body),
    });
    const text = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '') && text !== '';
    const answer = { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    this.#holds(method, pathname, answer);
    return answer;
  }

  get<Body = unknown>(path: string, headers: Record<string, string> = {}) {
    return this.call<Body>('GET', path, { headers });
  }
  head(path: string, headers: Record<string, string> = {}) {
    return this.call<''>('HEAD', path, { headers });
  }
  post<Body = unknown>(path: string, body?: unknown, headers: Record<string, string> = {}) {
    return this.call<Body>('POST', path, { body, headers });
  }
  patch<Body = unknown>(path: string, body?: unknown, headers: Record<string, string> = {}) {
    return this.call<Body>('PATCH', path, { body, headers });
  }
  put<Body = unknown>(path: string, body?: unknown, headers: Record<string, string> = {}) {
    return this.call<Body>('PUT', path, { body, headers });
  }
  delete(path: string, headers: Record<string, string> = {}) {
    return this.call<'' | Problem>('DELETE', path, { headers });
  }

  /**
   * Resolves a reference in the response to a request for `path`, as a client does, and returns the path below the base
   * URL.
   */
  resolve(path: string, reference: string | null | undefined): string {
    expect(reference, `a reference in the answer of ${path}`).toBeTruthy();
    const { href } = new URL(reference ?? '', this.base + path);
    expect(href.slice(0, this.base.length + 1), reference ?? '').toBe(`${this.base}/`);
    return href.slice(this.base.length);
  }

  /** Creates an application, and returns its path. */
  async newApplication(name = 'Some application'): Promise<string> {
    const { status, body } = await this.post<Application>('/applications', { name });
    expect(status).toBe(201);
    return `/applications/${body.token}`;
  }

  /** Creates a chat, in a new application unless one is given, and returns its path. */
  async newChat(application?: string): Promise<string> {
    const parent = application ?? (await this.newApplication());
    const { status, body } = await this.post<Chat>(`${parent}/chats`);
    expect(status).toBe(201);
    return `${parent}/chats/${body.number}`;
  }

  /** Creates messages in one batch, and returns their numbers. */
  async send(chat: string, ...bodies: string[]): Promise<number[]> {
    const { status, body } = await this.post<Messages>(`${chat}/messages/batch`, {
      messages: bodies.map((text) => ({ body: text })),
    });
    expect(status).toBe(201);
    return body.data.map(({ number }) => number);
  }

  /**
   * Returns all items of a list or search, page by page. Fails the test when a page is refused or the list never ends.
   */
  async all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages<{ data: Item[]; next: string | null }>(path)) items.push(...page.data);
    return items;
  }

  async *pages<Page extends { next: string | null }>(path: string): AsyncGenerator<Page> {
    const [pathname, search] = path.split('?');
    const query = new URLSearchParams(search);
    const seen = new Set<string>();
    for (let next: string | null = ''; next !== null; ) {
      if (next) query.set('cursor', next);
      const answer: Answer<Page> = await this.get<Page>(`${pathname}?${query}`);
      expect(answer.status, path).toBe(200);
      yield answer.body;
      next = answer.body.next;
      if (next !== null) expect(seen, 'a cursor came twice').not.toContain(next);
      seen.add(next ?? '');
    }
  }

  #holds(method: string, path: string, answer: Answer): void {
    const what = `${method} ${path} → ${answer.status}`;
    expectGeneralRules(answer, what, method !== 'HEAD');
    expect(this.#check.fault({ method, path, ...answer }), what).toBeUndefined();
  }
}

/** Checks the contract's rules for all responses, and fails the test when one is violated. */
export function expectGeneralRules({ status, headers, body }: Answer, what: string, withBody = true): void {
  const requestId = headers.get('x-request-id');
  expect(requestId, `${what}: x-request-id`).toBeTruthy();
  expect(headers.get('access-control-allow-origin'), `${what}: CORS`).toBe('*');
  expect(headers.get('access-control-expose-headers')?.split(/, */), `${what}: CORS`).toEqual(
    expect.arrayContaining(exposed),
  );
  const { 'content-type': contentType, 'cache-control': caching } = Object.fromEntries(headers);
  expect(headers.get('x-content-type-options'), `${what}: no sniffing`).toBe('nosniff');
  // A response that is the same for every client may be cached anywhere; one of an application never.
  const isDocument = /\/(docs|openapi\.json|v1\/?)[ ?]/.test(what);
  const isCredential = /^POST \S+\/access-tokens /.test(what);
  expect(caching, `${what}: Cache-Control`).toBe(
    status >= 400 || isCredential
      ? 'no-store'
      : isDocument && [200, 304].includes(status)
        ? 'no-cache'
        : 'private, no-cache',
  );
  if (status < 400 || !withBody) return;
  expect(contentType, what).toMatch(/^application\/problem\+json\b/);
  expect(body, what).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code: expect.any(String),
    request_id: requestId,
  });
}
