import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { functionSizes } from '../../infra/sizes.ts';
import { type OperationId, routes } from '../../lib/api/routes.ts';
import type { Random } from '../../tools/statistics/random.ts';
import { type Answered, answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import type { Operation } from '../support/histories/history-check.ts';
import type { Operations } from './chaos-engine.ts';

/** Pauses between two requests of a lane, in milliseconds. They keep the load steady and low enough for two cores. */
const writePauseMs = 50;
const readPauseMs = 150;

/** A word in every text, so that a search for it finds all messages. */
const word = 'chaos';
/** The chats that get messages. Later chats are renamed and deleted. */
const chats = [1, 2];

/** A request and its response. Times are in milliseconds. */
export interface Answer {
  id: OperationId;
  status: number;
  retryAfter: string | undefined;
  begunAt: number;
  endedAt: number;
}

/** The messages of a chat, or the chats of an application, as the writers know them. */
interface Parent {
  /** Undefined for the application itself. */
  chat?: number;
  history: Operation[];
  /** Live numbers, with the number of requests in progress on each. */
  existing: Map<number, number>;
}

/** Clients of one application that write and read concurrently, and record the responses. */
export class ChaosClients {
  readonly token: string;
  readonly parents: Parent[];
  readonly writes: Answer[] = [];
  readonly reads: Answer[] = [];
  readonly #operations: Operations;
  readonly #random: Random;
  #texts = 0;
  #stopped = false;
  #lanes: Promise<void>[] = [];

  private constructor(operations: Operations, random: Random, token: string, parents: Parent[]) {
    this.#operations = operations;
    this.#random = random;
    this.token = token;
    this.parents = parents;
  }

  static async open(operations: Operations, random: Random): Promise<ChaosClients> {
    const parents: Parent[] = [undefined, ...chats].map((chat) => ({
      ...(chat !== undefined && { chat }),
      history: [],
      existing: new Map(),
    }));
    const { json } = await ask(operations, 'createApplication', { body: { name: word } });
    const clients = new ChaosClients(operations, random, String(json.token), parents);
    const application = parents[0] as Parent;
    for (const _ of chats) await clients.#create(application, 1);
    // The chats that get messages must not be deleted.
    application.existing.clear();
    return clients;
  }

  /** Starts two writers, one reader of lists and one of searches, which run until they are stopped. */
  start(): void {
    const lane = async (pauseMs: number, request: () => Promise<unknown>) => {
      while (!this.#stopped) {
        await request();
        await sleep(this.#random.between(pauseMs / 2, pauseMs * 1.5));
      }
    };
    this.#lanes = [
      lane(writePauseMs, () => this.#write()),
      lane(writePauseMs, () => this.#write()),
      lane(readPauseMs, () => this.#read('listMessages', { order: 'desc', limit: '20' })),
      lane(readPauseMs, () => this.#read('searchChat', { q: word, limit: '5' })),
    ];
  }

  /** Resolves when the last requests have their responses. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }

  /** Returns what can be read and found below a parent, and its count, as a client sees them. */
  async finalState({ chat }: Parent) {
    const params = { token: this.token, chat_number: String(chat) };
    if (chat === undefined) {
      const stored = await this.#pages('listChats', params, { limit: '1000' }, 'name');
      return { stored, count: Number((await this.#get('getApplication', params)).chats_count) };
    }
    const [stored, indexed, { messages_count }] = await Promise.all([
      this.#pages('listMessages', params, { limit: '1000' }, 'body'),
      this.#pages('searchChat', params, { q: word, limit: '100' }, 'body'),
      this.#get('getChat', params),
    ]);
    return { stored, indexed, count: Number(messages_count) };
  }

  async #get(id: OperationId, params: Record<string, string>, query?: Record<string, string>) {
    const { status, json } = await ask(this.#operations, id, { params, ...(query && { query }) });
    if (status !== 200) throw new Error(`${id} got ${status}`);
    return json;
  }

  async #pages(id: OperationId, params: Record<string, string>, query: Record<string, string>, text: 'body' | 'name') {
    const found = new Map<number, string>();
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await this.#get(id, params, { ...query, ...(cursor && { cursor }) });
      for (const item of page.data as { number: number; body: string; name: string }[])
        found.set(item.number, item[text]);
      cursor = page.next as string | null;
    }
    return found;
  }

  async #read(id: 'listMessages' | 'searchChat', query: Record<string, string>): Promise<void> {
    const chat = String(this.#random.pick(chats));
    await this.#ask(this.reads, id, { params: { token: this.token, chat_number: chat }, query });
  }

  async #write(): Promise<void> {
    const choice = this.#random.next();
    const parent = this.#random.pick(choice < 0.9 ? this.parents.slice(1) : this.parents.slice(0, 1)) as Parent;
    const kind = this.#random.next();
    const free = [...parent.existing].filter(([, requests]) => requests === 0).map(([number]) => number);
    const known = this.#random.pick(kind < 0.35 ? [...parent.existing.keys()] : free);
    // Edits of a message may be concurrent, but a deletion runs alone, so that every refusal is a fault.
    if (known !== undefined && kind < 0.35) return this.#edit(parent, known);
    if (known !== undefined && kind < 0.45) return this.#delete(parent, known);
    const isBatch = parent.chat !== undefined && this.#random.chance(0.2);
    return this.#create(parent, isBatch ? this.#random.between(2, 20) : 1);
  }

  async #create(parent: Parent, count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => this.#text());
    const key = this.#random.chance(0.3) ? randomUUID() : undefined;
    do {
      await this.#createOnce(parent, texts, key);
    } while (key && this.#random.chance(0.2));
  }

  async #createOnce(parent: Parent, texts: string[], key: string | undefined): Promise<void> {
    const [id, body]: [OperationId, unknown] =
      parent.chat === undefined
        ? ['createChat', { name: texts[0] }]
        : texts.length === 1
          ? ['createMessage', { body: texts[0] }]
          : ['createMessages', { messages: texts.map((text) => ({ body: text })) }];
    const headers = key && { 'Idempotency-Key': key };
    const { operation, json } = await this.#change(parent, id, { body, ...(headers && { headers }) });
    const created = (json.data as { number: number }[] | undefined) ?? [json as { number: number }];
    const first = operation.outcome === 'accepted' ? { first: created[0]?.number as number } : {};
    parent.history.push({ kind: 'create', texts, ...first, ...(key && { key }), ...operation });
    if (operation.outcome === 'accepted')
      for (const { number } of created) if (!parent.existing.has(number)) parent.existing.set(number, 0);
  }

  async #edit(parent: Parent, number: number): Promise<void> {
    const text = this.#text();
    const [id, body]: [OperationId, unknown] =
      parent.chat === undefined ? ['editChat', { name: text }] : ['editMessage', { body: text }];
    parent.existing.set(number, (parent.existing.get(number) ?? 0) + 1);
    const { operation } = await this.#change(parent, id, { body }, number);
    parent.existing.set(number, (parent.existing.get(number) ?? 0) - 1);
    parent.history.push({ kind: 'edit', number, text, ...operation });
  }

  async #delete(parent: Parent, number: number): Promise<void> {
    parent.existing.delete(number);
    const { operation } = await this.#change(
      parent,
      parent.chat === undefined ? 'deleteChat' : 'deleteMessage',
      {},
      number,
    );
    parent.history.push({ kind: 'delete', number, ...operation });
  }

  async #change({ chat }: Parent, id: OperationId, parts: RequestParts, number?: number) {
    const params = {
      token: this.token,
      ...(chat === undefined
        ? number !== undefined && { chat_number: String(number) }
        : { chat_number: String(chat), ...(number !== undefined && { message_number: String(number) }) }),
    };
    const { answered, json } = await this.#ask(this.writes, id, { ...parts, params });
    const { status, begunAt: invokedAt, endedAt } = answered;
    const outcome = status < 300 ? ('accepted' as const) : status < 500 ? ('refused' as const) : ('unknown' as const);
    return {
      json,
      operation: { invokedAt, completedAt: outcome === 'unknown' ? Number.POSITIVE_INFINITY : endedAt, outcome },
    };
  }

  async #ask(notes: Answer[], id: OperationId, parts: RequestParts) {
    const begunAt = performance.now();
    const { status, headers, json } = await ask(this.#operations, id, parts);
    const answered = { id, status, retryAfter: headers['Retry-After'], begunAt, endedAt: performance.now() };
    notes.push(answered);
    return { answered, json };
  }

  #text(): string {
    return `${word} ${++this.#texts}`;
  }
}

/** Invokes an operation with the time limit of its deployed function. */
function ask(operations: Operations, id: OperationId, parts: RequestParts): Promise<Answered> {
  const handler = operations.get(id);
  if (!handler) throw new Error(`There is no ${id}`);
  const { timeout } = routes[id].method === 'GET' ? functionSizes.read : functionSizes.write;
  return answer(handler, apiEvent(id, parts), timeout.toMilliseconds());
}
