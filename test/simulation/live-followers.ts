import { ChatSystemError } from '../../client/src/error.ts';
import { Feed } from '../../client/src/feed.ts';
import { Follower } from '../../client/src/follower.ts';
import { Requests } from '../../client/src/requests.ts';
import { eventStream, type HttpResult } from '../../functions/runtime/http/proxy-result.ts';
import type { OperationId } from '../../lib/api/routes.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { apiEvent } from '../support/client/api-event.ts';
import { random } from './chance.ts';
import type { Clients } from './clients.ts';
import { sleep } from './determinism.ts';
import { accepted } from './history.ts';
import { SimulatedHost } from './host.ts';
import { type Change, Known } from './known.ts';
import { operations } from './operations.ts';
import type { World } from './world.ts';

/** Milliseconds after which a function of the API is ended, from infra/sizes.ts. */
const functionMs = 10_000;
/**
 * Milliseconds within which a follower must get what is committed while nothing fails. The queues need less. The client
 * reads what it may have lost only later, so a lost event is noticed.
 */
const promptMs = 20_000;
/** The chats of an application that are followed, besides its list of chats (number 0). */
const mostChats = 2;
const list = 0;

/**
 * Clients that follow with the product's own client: they connect, lose the connection, end, and continue later from the
 * version that they have.
 */
export class LiveFollowers {
  readonly #world: World;
  readonly #clients: Clients;
  #follower: LiveFollower | undefined;
  #stopped = false;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#begin();
      await this.#follower?.follow(random.between(5_000, 90_000));
      await sleep(random.between(500, 20_000));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Follows during some writes while nothing fails. Every change must come as an event, before the client would poll. */
  async followPromptly(write: () => Promise<unknown>): Promise<void> {
    this.#begin();
    const writing = (async () => {
      for (let writes = 3; writes > 0; writes--) {
        await sleep(random.between(0, 1_500));
        await write();
      }
    })();
    await this.#follower?.follow(promptMs);
    await writing;
    this.#follower?.requireAll(this.#world, 'although nothing failed');
  }

  /** Follows to the end, when nothing fails any more. Returns what the follower knows of everything that exists. */
  async end(): Promise<Known[]> {
    this.#begin();
    await this.#follower?.follow(promptMs);
    return this.#follower?.ended(this.#world) ?? [];
  }

  /** Follows the first application and its first chats. */
  #begin(): void {
    for (const { id, attempts, ...operation } of this.#clients.history) {
      const created = accepted({ ...operation, id, attempts })?.json;
      if (created && id === 'createApplication')
        this.#follower ??= new LiveFollower(this.#world, String(created.token));
      if (created && id === 'createChat' && operation.token === this.#follower?.token)
        this.#follower?.add(Number(created.number));
    }
  }
}

class LiveFollower {
  readonly token: string;
  /** What the follower knows of each chat that was not deleted, by the number of the chat. */
  readonly known = new Map<number, Known>();
  /** Whether the application was deleted. */
  isGone = false;
  readonly #world: World;
  readonly #seen = new Set<number>([list]);
  readonly #deleted: Known[] = [];

  constructor(world: World, token: string) {
    this.#world = world;
    this.token = token;
    this.known.set(list, new Known(token, undefined));
  }

  add(chat: number): void {
    if (this.#seen.has(chat) || this.#seen.size > mostChats) return;
    this.#seen.add(chat);
    this.known.set(chat, new Known(this.token, chat));
  }

  /** Follows for this many milliseconds. */
  async follow(milliseconds: number): Promise<void> {
    if (this.isGone || this.known.size === 0) return;
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), milliseconds);
    const requests = new Requests({
      url: 'https://chat.example/v1',
      token: this.token,
      fetch: ((url: string, init: RequestInit) => this.#fetch(url, init)) as typeof fetch,
    });
    const follower = new Follower(new Feed(requests), () => {}, over.signal);
    const positions = new Map([...this.known].map(([chat, { version }]) => [chat, version]));
    try {
      for await (const { chat, change, data, deleted, reset } of follower.follow(positions)) {
        if (over.signal.aborted) break;
        if (reset) this.known.get(chat)?.broke('was told to begin again');
        this.known.get(chat)?.take(data as Change[], change);
        if (deleted) this.#end(chat);
        if (random.chance(0.05)) await sleep(random.between(10, 2_000));
      }
    } catch (error) {
      if (error instanceof ChatSystemError && error.code === 'access_token_invalid') this.isGone = true;
      else if (!over.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  /**
   * Returns what the follower knows of everything that was not deleted. It is a violation if the follower was told that
   * an existing chat or application is deleted.
   */
  ended({ database }: World): Known[] {
    const exists = (sql: string, ...of: (string | number)[]) => database.raw.prepare(sql).get(...of) !== undefined;
    if (this.isGone && exists('SELECT 1 FROM applications WHERE token = ? AND deleted = 0', this.token))
      for (const known of this.known.values()) known.broke('was refused, and the application exists');
    for (const known of this.#deleted)
      if (exists('SELECT 1 FROM chats WHERE token = ? AND number = ? AND deleted = 0', this.token, known.chat ?? list))
        known.broke('was told that it was deleted, and it exists');
    return [...this.known.values(), ...this.#deleted].filter(
      (known) => known.violations.length > 0 || !(this.isGone || this.#deleted.includes(known)),
    );
  }

  #end(chat: number): void {
    const known = this.known.get(chat);
    if (known) this.#deleted.push(known);
    this.known.delete(chat);
  }

  /** Requires that nothing is stored that the follower does not have. */
  requireAll({ database }: World, when: string): void {
    if (this.isGone) return;
    for (const [chat, known] of this.known) {
      const later =
        chat === list
          ? database.raw
              .prepare('SELECT number FROM chats WHERE token = ? AND version > ?')
              .all(this.token, known.version)
          : database.raw
              .prepare('SELECT number FROM messages WHERE token = ? AND chat = ? AND version > ?')
              .all(this.token, chat, known.version);
      if (later.length > 0) known.broke(`misses ${later.map(({ number }) => number).join()} ${when}`);
    }
  }

  /** Sends a request of the client to the function of its operation. */
  async #fetch(url: string, { headers, signal }: RequestInit): Promise<Response> {
    const { faults } = this.#world;
    if (faults.chance(0.02)) throw new TypeError('fetch failed');
    const { pathname, searchParams } = new URL(url);
    const [, chat] = /\/chats\/(\d+)\//.exec(pathname) ?? [];
    const id: OperationId = pathname.endsWith('/feed')
      ? 'getFeed'
      : chat
        ? 'listChatChanges'
        : 'listApplicationChanges';
    const event = apiEvent(id, {
      params: { token: 'self', ...(chat && { chat_number: chat }) },
      query: Object.fromEntries(searchParams),
      headers: headers as Record<string, string>,
    });
    event.multiValueQueryStringParameters = Object.fromEntries(
      [...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]),
    );
    const { ending } = await this.#world.invoke(
      'follower',
      functionMs,
      (services) => async () => operations[id](services)(event, lambdaContext('follower', functionMs)),
      event,
    );
    if (ending.kind === 'failed') throw ending.error;
    if (faults.chance(0.02)) throw new TypeError('fetch failed');
    signal?.throwIfAborted();
    const result: HttpResult = ending.kind === 'answered' ? ending.result : { statusCode: 504, body: '' };
    return this.#response(result, signal);
  }

  #response(result: HttpResult, signal: RequestInit['signal']): Response {
    const { statusCode: status, headers, body } = result;
    const stream = result[eventStream];
    const { live } = this.#world;
    const connection = stream && live instanceof SimulatedHost ? live.connect() : undefined;
    if (stream && connection) {
      signal?.addEventListener('abort', () => connection.lose());
      stream.begin(connection);
    }
    return {
      status,
      ok: status === 200,
      headers: { get: (name: string) => headers?.[name] ?? null },
      text: async () => body,
      body: { getReader: () => connection },
    } as unknown as Response;
  }
}
