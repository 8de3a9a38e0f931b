import { ChatSystemError } from './error.ts';
import { type OrderedStep, type ReadPage, Sequence, type Versioned } from './sequence.ts';
import { jittered, sleep } from './time.ts';
import type { Connection, WireEvent } from './wire.ts';

/** The API, as a follower uses it. */
export interface Source {
  /** Reads the page of changes after a version. Without `after`, the page has only the present version. */
  read(
    chat: number,
    from: { after?: number; cursor?: string },
    signal: AbortSignal | undefined,
  ): Promise<ReadPage<Versioned>>;
  /** Opens a connection that delivers changes live, after the version of each chat. */
  connect(positions: Map<number, number>, signal: AbortSignal | undefined): Promise<Connection>;
  /** Returns whether the next attempt uses a new token. */
  renews(error: ChatSystemError): boolean;
}

/** A step of one of the followed chats, or of the application's chats (number 0). */
export interface FollowedStep extends OrderedStep<Versioned> {
  chat: number;
  /** The chat was deleted, and this is its last step. */
  deleted?: true;
}

/** Whether changes come live; otherwise `error` says why the follower has to connect again. */
export type FollowStatus = { live: true } | { live: false; error: ChatSystemError };

/** How long to wait for a missing step to arrive late before it is read, in milliseconds. */
const lateMs = 250;
/** The delay before the first attempt to reconnect, in milliseconds. Each failure doubles it, up to the longest. */
const firstDelayMs = 1_000;
const longestDelayMs = 30_000;
/** Maximum number of new tokens that are refused in a row before the follower gives up. */
const refusedTokens = 3;

/** Follows chats, reconnecting as often as needed, until all chats are deleted or the signal aborts. */
export class Follower {
  readonly #source: Source;
  readonly #signal: AbortSignal | undefined;
  readonly #onStatus: (status: FollowStatus) => void;
  readonly #sequences = new Map<number, Sequence<Versioned>>();
  /** The number of failed attempts since a connection last delivered anything. */
  #failures = 0;

  constructor(source: Source, onStatus: (status: FollowStatus) => void, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    this.#onStatus = onStatus;
  }

  /** @param from the version of each chat after which to follow; undefined is the present version */
  async *follow(from: Map<number, number | undefined>): AsyncGenerator<FollowedStep> {
    for (const [chat, after] of from) {
      const at = after ?? (await this.#source.read(chat, {}, this.#signal)).change;
      this.#sequences.set(chat, new Sequence(at));
    }
    while (this.#sequences.size > 0)
      try {
        // The feed may be down for a long time while reading still works.
        if (this.#failures > 1) yield* this.#readAll();
        yield* this.#followOnce();
      } catch (error) {
        await this.#recover(error);
      }
  }

  /** Follows over one connection until it is lost. */
  async *#followOnce(): AsyncGenerator<FollowedStep> {
    const positions = new Map([...this.#sequences].map(([chat, { at }]) => [chat, at]));
    if (positions.size === 0) return;
    // Connect first, then read. What changes in between comes twice. In the other order, it would be lost.
    const connection = await this.#source.connect(positions, this.#signal);
    try {
      for (const sequence of this.#sequences.values()) sequence.connect();
      if (!connection.isOrdered) yield* this.#readAll();
      this.#onStatus({ live: true });
      yield* this.#followConnection(connection);
    } finally {
      connection.close();
    }
  }

  async *#followConnection(connection: Connection): AsyncGenerator<FollowedStep> {
    const { silenceMs, checkMs } = connection;
    let heardAt = performance.now();
    // When to read each chat again: its last step may be lost, and the steps of other chats do not reveal that.
    const checks = new Map<number, { at: number; ms: number }>();
    const checkIn = (chat: number, ms: number) => checks.set(chat, { at: performance.now() + ms, ms });
    if (checkMs) for (const chat of this.#sequences.keys()) checkIn(chat, checkMs.first);
    let behindSince: number | undefined;
    while (this.#sequences.size > 0) {
      const isLate = behindSince !== undefined && performance.now() - behindSince >= lateMs;
      for (const [chat, sequence] of this.#sequences)
        if (sequence.mustRead || (isLate && sequence.isBehind)) yield* this.#read(chat);
      for (const [chat, { at, ms }] of checks) {
        if (!checkMs || performance.now() < at) continue;
        let nextMs = Math.min(ms * 2, checkMs.longest);
        for await (const step of this.#read(chat)) {
          nextMs = checkMs.first;
          yield step;
        }
        checkIn(chat, nextMs);
      }
      const isBehind = [...this.#sequences.values()].some((sequence) => sequence.isBehind);
      behindSince = isBehind ? (behindSince ?? performance.now()) : undefined;

      const checkAt = Math.min(...Array.from(checks.values(), ({ at }) => at));
      const until = Math.min(heardAt + silenceMs, checkAt, (behindSince ?? Number.POSITIVE_INFINITY) + lateMs);
      const event = await connection.next(Math.max(0, until - performance.now()));
      if (event) {
        // A stream that ends before it delivered anything is a failed attempt, too.
        if (event.type !== 'end') this.#failures = 0;
        if (event.type === 'reconnect') return;
        yield* this.#take(event, connection.isOrdered);
        // The time that the consumer took for a step is not silence of the connection.
        heardAt = performance.now();
        if (checkMs && event.type === 'step') checkIn(event.chat, checkMs.first);
      } else if (performance.now() >= heardAt + silenceMs)
        throw new ChatSystemError({
          status: 0,
          code: 'no_response',
          detail: `The server sent nothing for ${silenceMs} ms.`,
        });
    }
  }

  *#take(event: WireEvent, isOrdered: boolean): Generator<FollowedStep> {
    if (event.type === 'step') {
      const { chat, change, data } = event;
      const sequence = this.#sequences.get(chat);
      const received = { change, ...(data && { data }) };
      const steps = isOrdered ? sequence?.receiveInOrder(received) : sequence?.receive(received);
      for (const step of steps ?? []) yield { chat, ...step };
    } else if (event.type === 'versions')
      for (const [chat, version] of event.versions) this.#sequences.get(chat)?.receiveVersion(version);
    else if (event.type === 'end') {
      const { chat, code } = event;
      if (chat === undefined)
        throw new ChatSystemError({
          status: code.startsWith('access_token_') ? 401 : 0,
          code,
          detail: 'The server ended the stream.',
        });
      yield* this.#end(chat);
    }
  }

  /** Reads a chat until nothing is missing. */
  async *#read(chat: number): AsyncGenerator<FollowedStep> {
    const sequence = this.#sequences.get(chat);
    if (!sequence) return;
    do {
      const { unread } = sequence;
      try {
        const page = await this.#source.read(chat, unread, this.#signal);
        for (const step of sequence.read(unread.after, page)) yield { chat, ...step };
        const { after, cursor } = sequence.unread;
        if (sequence.isBehind && after === unread.after && cursor === unread.cursor)
          throw new ChatSystemError({ status: 0, code: 'unexpected_response', detail: 'The next page is the same.' });
      } catch (error) {
        if (!isCode(error, 'chat_not_found')) throw error;
        return yield* this.#end(chat);
      }
    } while (sequence.isBehind);
  }

  async *#readAll(): AsyncGenerator<FollowedStep> {
    for (const chat of [...this.#sequences.keys()]) yield* this.#read(chat);
  }

  *#end(chat: number): Generator<FollowedStep> {
    const sequence = this.#sequences.get(chat);
    if (sequence) yield { chat, change: sequence.at, data: [], deleted: true };
    this.#sequences.delete(chat);
  }

  /** Resolves when it is time to reconnect. @throws the error when another attempt would not help */
  async #recover(error: unknown): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!(error instanceof ChatSystemError) || this.#isFinal(error)) throw error;
    this.#onStatus({ live: false, error });
    this.#failures++;
    // The error does not name the chat. After two failures, the next round reads every chat, and so finds the deleted
    // one.
    if (error.code === 'chat_not_found') this.#failures = Math.max(this.#failures, 2);
    if (error.code === 'too_slow' && this.#failures === 1) return;
    const delayMs = Math.min(firstDelayMs * 2 ** (this.#failures - 1), longestDelayMs);
    await sleep(Math.max(error.retryAfterMs, jittered(delayMs)), this.#signal);
  }

  #isFinal(error: ChatSystemError): boolean {
    if (this.#source.renews(error)) return this.#failures >= refusedTokens;
    const isRefusal = error.status >= 400 && error.status < 500 && !error.isTemporary;
    return isRefusal && !['chat_not_found', 'not_acceptable', 'unexpected_response'].includes(error.code);
  }
}

const isCode = (error: unknown, code: string): boolean => error instanceof ChatSystemError && error.code === code;
