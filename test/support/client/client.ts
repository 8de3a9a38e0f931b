import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type * as z from 'zod';
import { ChatSystem, List, type Message, type Page, type Settings } from '../../../client/src/index.ts';
import type * as responses from '../../../lib/api/responses.ts';
import { type OpenApi, OpenApiCheck } from './openapi.ts';

export type {
  Application,
  ApplicationMatchPage,
  ApplicationPage,
  Chat,
  ChatMatchPage,
  ChatPage,
  Message,
  MessagePage,
} from '../../../client/src/index.ts';
export type Messages = { data: Message[] };
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
  /** Overrides {@link patient}. */
  retryMs?: number;
}

const payloadOf = (body: unknown): string | Uint8Array<ArrayBuffer> | null => {
  if (body === undefined) return null;
  return typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
};

/**
 * How long requests that get a 503 are repeated, in milliseconds, if that does no harm. On a busy machine, a dependency
 * may not respond in time, and every client then tries again.
 */
export const patient = { retryMs: 60_000 };

const exposed = ['Date', 'ETag', 'Link', 'Location', 'Retry-After', 'x-request-id'];

/**
 * The API as the tests use it. Every response is checked against the contract's rules for all responses and against the
 * deployment's own OpenAPI document, and fails the test when one is violated.
 *
 * - {@link system} is chat-system-client, for requests that it can send.
 * - {@link call} and its short forms send any request, also one that is not valid, and return any response. Paths are
 *   relative to the base URL; a resource is named by its path, such as `/applications/{token}/chats/1`.
 */
export class Client {
  readonly base: string;
  /** The client of the operator, who creates and lists applications. */
  readonly operator: ChatSystem;
  readonly #adminKey: string | undefined;
  readonly #check: OpenApiCheck;

  private constructor(base: string, adminKey: string | undefined, document: OpenApi) {
    this.base = base;
    this.#adminKey = adminKey;
    this.#check = new OpenApiCheck(document);
    this.operator = this.#system(adminKey === undefined ? {} : { adminKey });
  }

  /** @param adminKey sent only where the contract requires it */
  static async connect(base: string, adminKey?: string): Promise<Client> {
    const response = await fetch(`${base}/openapi.json`);
    return new Client(base, adminKey, (await response.json()) as OpenApi);
  }

  /**
   * Returns the client of the holder of a token. Unless `retryMs` is given, it repeats only what gets a 503, so that the
   * tests notice every other failure.
   */
  system(token: NonNullable<Settings['token']>, settings: Partial<Settings> = {}): ChatSystem {
    return this.#system({ token, ...settings });
  }

  #system(settings: Partial<Settings>): ChatSystem {
    return new ChatSystem({
      url: this.base,
      retryMs: 0,
      fetch: (url, init) => this.#fetch(String(url), init),
      ...settings,
    });
  }

  async call<Body = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<Body>> {
    const { body, headers, retryMs } = options;
    const [pathname = ''] = path.split('?');
    const init = {
      method,
      redirect: 'manual' as const,
      signal: AbortSignal.timeout(120_000),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#adminKey !== undefined && pathname === '/applications' && { 'x-api-key': this.#adminKey }),
        ...headers,
      },
      body: payloadOf(body),
    };
    const response = await this.#fetch(this.base + path, init, retryMs);
    return answerOf<Body>(response, await response.text());
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
    expect(reference, `a reference in the response to ${path}`).toBeTruthy();
    const { href } = new URL(reference ?? '', this.base + path);
    expect(href.slice(0, this.base.length + 1), reference ?? '').toBe(`${this.base}/`);
    return href.slice(this.base.length);
  }

  /** Creates an application, and returns its path. */
  async newApplication(name = 'Some application'): Promise<string> {
    const { token } = await this.operator.createApplication(name);
    return `/applications/${token}`;
  }

  /** Creates a chat, in a new application unless one is given, and returns its path. */
  async newChat(application?: string): Promise<string> {
    const parent = application ?? (await this.newApplication());
    const { number } = await this.of(parent).createChat();
    return `${parent}/chats/${number}`;
  }

  /** Creates messages in one batch, and returns their numbers. */
  async send(chat: string, ...bodies: string[]): Promise<number[]> {
    const [application = '', number] = chat.split('/chats/');
    const messages = await this.of(application)
      .chat(Number(number))
      .sendAll(bodies.map((body) => ({ body })));
    return messages.map((message) => message.number);
  }

  /**
   * Returns all items of a list or search, page by page. Fails the test when a page is refused or the list never ends.
   */
  async all<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages<Page<Item>>(path)) items.push(...page.data);
    return items;
  }

  pages<Of extends Page<unknown>>(path: string): AsyncGenerator<Of> {
    const [pathname, search] = path.split('?');
    const query = new URLSearchParams(search);
    const seen = new Set<string>();
    const list = new List<unknown, Of>(async (cursor) => {
      if (cursor !== undefined) {
        expect(seen, 'a cursor came twice').not.toContain(cursor);
        seen.add(cursor);
        query.set('cursor', cursor);
      }
      const { status, body } = await this.get<Of>(`${pathname}?${query}`);
      expect(status, path).toBe(200);
      return body;
    });
    return list.pages();
  }

  /** Returns the client of the holder of the token in an application's path. */
  of(application: string): ChatSystem {
    return this.system(application.replace('/applications/', ''));
  }

  /** Sends a request, and checks its response. Repeats it after a 503, unless it could then create something twice. */
  async #fetch(url: string, init: RequestInit = {}, retryMs = patient.retryMs): Promise<Response> {
    const mayRepeat = init.method !== 'POST' || new Headers(init.headers).has('idempotency-key');
    const giveUpAt = performance.now() + (mayRepeat ? retryMs : 0);
    for (;;) {
      const response = await this.#fetchOnce(url, init);
      if (response.status !== 503 || performance.now() >= giveUpAt) return response;
      await sleep(1_000 * (Number(response.headers.get('retry-after')) || 1));
    }
  }

  async #fetchOnce(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, init);
    const { method = 'GET' } = init;
    const [path = ''] = url.slice(this.base.length).split('?');
    const what = `${method} ${path} → ${response.status}`;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    const answer = answerOf(response, isStream ? '' : await response.clone().text());
    expectGeneralRules(answer, what, method !== 'HEAD');
    if (!isStream) expect(this.#check.fault({ method, path, ...answer }), what).toBeUndefined();
    return response;
  }
}

function answerOf<Body>({ status, headers }: Response, text: string): Answer<Body> {
  const isJson = /[/+]json\b/.test(headers.get('content-type') ?? '') && text !== '';
  return { status, headers, body: isJson ? JSON.parse(text) : text };
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
  // Any cache may store a response that is the same for every client. No shared cache may store data of an application.
  const isDocument = /\/(docs|console|openapi\.json|v1\/?)[ ?]/.test(what);
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
