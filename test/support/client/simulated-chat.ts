import { ChatSystemError } from '../../../client/src/error.ts';
import type { Source } from '../../../client/src/follower.ts';
import type { ReadPage, Versioned } from '../../../client/src/sequence.ts';
import { sleep } from '../../../client/src/time.ts';
import type { Connection, WireEvent } from '../../../client/src/wire.ts';

/** A message, and the version in which it last changed. */
export interface Row extends Versioned {
  type: 'message.created' | 'message.edited' | 'message.deleted';
  message: { number: number };
}

/** What happens to the announcement of a version. */
export interface Announcement {
  /** Milliseconds after which each copy of the announcement arrives. Without an entry, the announcement is lost. */
  delaysMs: number[];
  /** Milliseconds until the publisher reads the rows back. */
  readBackMs: number;
  /** Whether the announcement includes rows that a later version has changed again, in their later state. */
  tellsLater: boolean;
  isTooLarge: boolean;
}

/** The delays and failures of the follower's requests. Each request takes the next entry, and the lists start again. */
export interface RequestFaults {
  readMs: number[];
  readFails: boolean[];
  connectMs: number[];
  connectFails: boolean[];
}

/** Milliseconds between two signs of life of a connection. */
const heartbeatMs = 30_000;
/** No scenario needs as many reads, unless the follower reads the same again and again. */
const mostReads = 3_000;
/** The messages on a page at most: few, so that versions are larger than a page. */
const pageSize = 3;
/** The number of the simulated chat. */
export const chat = 1;

/** Returns the next entry of the list, and moves it to the end. */
const nextOf = <T>(list: T[], fallback: T): T => {
  const next = list.shift();
  if (next === undefined) return fallback;
  list.push(next);
  return next;
};

/** A chat as the contract describes it. The test determines how its announcements and requests fail. */
export class SimulatedChat implements Source {
  version = 0;
  rows = new Map<number, Row>();
  /** How many pages were read, and connections opened. */
  reads = 0;
  connects = 0;
  /** Whether no request gets a response. */
  isOut = false;
  /** What every request gets instead of its response. */
  refusal: ChatSystemError | undefined;
  /** Whether the follower can get another token. */
  isRenewable = false;
  readonly #isOrdered: boolean;
  readonly #requestFaults: RequestFaults;
  readonly #tooLarge = new Set<number>();
  readonly #connections = new Set<SimulatedConnection>();

  /** @param isOrdered whether the connection loses nothing and keeps the order */
  constructor(isOrdered: boolean, requestFaults: RequestFaults) {
    this.#isOrdered = isOrdered;
    this.#requestFaults = structuredClone(requestFaults);
  }

  /** Commits a transaction that creates, edits or deletes messages. A redelivery changes none. */
  commit(numbers: number[], deletes: boolean, announcement: Announcement): void {
    const change = ++this.version;
    if (announcement.isTooLarge) this.#tooLarge.add(change);
    for (const number of new Set(numbers)) {
      const row = this.rows.get(number);
      if (row?.type === 'message.deleted') continue;
      const type = deletes ? 'message.deleted' : row ? 'message.edited' : 'message.created';
      this.rows.set(number, { change, type, message: { number } });
    }
    for (const connection of this.#connections)
      if (this.#isOrdered) setTimeout(() => this.#sendNext(connection), announcement.delaysMs[0] ?? 0);
      else this.#announce(connection, change, { ...announcement, numbers });
  }

  /** Loses all connections. */
  breakConnections(): void {
    for (const connection of this.#connections) connection.lose();
    this.#connections.clear();
  }

  /** Stops sending on all connections without closing them, as when the network fails. */
  silenceConnections(): void {
    for (const connection of this.#connections) connection.silence();
    this.#connections.clear();
  }

  /** Deletes the chat. A connection that keeps the order reports it, and then ends. */
  delete(): void {
    this.refusal = new ChatSystemError({ status: 404, code: 'chat_not_found', detail: '' });
    if (this.#isOrdered)
      for (const connection of this.#connections) connection.deliver({ type: 'end', code: 'chat_not_found', chat });
  }

  /** Goes back to an earlier state, as a restored backup does. */
  restore(version: number, rows: Map<number, Row>): void {
    this.version = version;
    this.rows = new Map(rows);
    this.breakConnections();
  }

  async read(
    _: number,
    { after, cursor }: { after?: number; cursor?: string },
    signal: AbortSignal | undefined,
  ): Promise<ReadPage<Row>> {
    if (++this.reads > mostReads) throw new Error('The follower reads without end.');
    const ms = nextOf(this.#requestFaults.readMs, 0);
    await sleep(ms, signal);
    this.#throwIfRefused();
    if (nextOf(this.#requestFaults.readFails, false))
      throw new ChatSystemError({ status: 500, code: 'internal_error', detail: '' });
    const { version } = this;
    // The version is read first, and commits may come before the rows are read.
    await sleep(ms, signal);
    if (after === undefined) return { change: version, data: [], more: false };
    const [fromVersion = after, fromNumber = Number.POSITIVE_INFINITY, ofAfter = after] =
      cursor?.split('/').map(Number) ?? [];
    if (ofAfter !== after) throw new Error('The cursor belongs to another list.');
    const rows = [...this.rows.values()]
      .filter(({ change, message }) => change > fromVersion || (change === fromVersion && message.number > fromNumber))
      .filter(({ change }) => change <= version)
      .sort((a, b) => a.change - b.change || a.message.number - b.message.number);
    const page = rows.slice(0, pageSize);
    const [cut, last] = [rows[pageSize]?.change, page.at(-1)];
    if (cut === undefined || !last) return { change: version, data: page, more: false };
    const whole = page.filter(({ change }) => change < cut);
    if (whole.length > 0) return { change: cut - 1, data: whole, more: true };
    return { change: cut - 1, data: page, more: true, cursor: `${last.change}/${last.message.number}/${after}` };
  }

  async connect(positions: Map<number, number>, signal: AbortSignal | undefined): Promise<Connection> {
    this.connects++;
    const ms = nextOf(this.#requestFaults.connectMs, 0);
    await sleep(ms, signal);
    this.#throwIfRefused();
    if (nextOf(this.#requestFaults.connectFails, false))
      throw new ChatSystemError({ status: 0, code: 'no_response', detail: '' });
    const connection = new SimulatedConnection(this.#isOrdered, positions.get(chat) ?? 0, (closed) =>
      this.#connections.delete(closed),
    );
    signal?.addEventListener('abort', () => connection.lose(signal.reason));
    this.#connections.add(connection);
    if (this.#isOrdered) {
      // The store was restored, so the server begins again.
      if (connection.position > this.version) connection.position = 0;
      this.#sendNext(connection);
      connection.every(heartbeatMs, () => ({ type: 'versions', versions: [[chat, connection.position]] }));
    } else connection.every(heartbeatMs, () => ({ type: 'alive' }));
    // An event that is announced during this wait arrives, because the server has the connection already.
    await sleep(ms, signal);
    return connection;
  }

  renews(error: ChatSystemError): boolean {
    return this.isRenewable && error.status === 401;
  }

  #throwIfRefused(): void {
    if (this.refusal) throw this.refusal;
    if (this.isOut) throw new ChatSystemError({ status: 0, code: 'no_response', detail: 'out' });
  }

  #dataOf(version: number): Row[] {
    return [...this.rows.values()].filter(({ change }) => change === version);
  }

  #announce(
    connection: SimulatedConnection,
    change: number,
    { numbers, delaysMs, readBackMs, tellsLater, isTooLarge }: Announcement & { numbers: number[] },
  ): void {
    let data: Row[] | undefined;
    setTimeout(() => {
      const rows = [...this.rows.values()].filter(({ message }) => numbers.includes(message.number));
      data = tellsLater ? rows.filter((row) => row.change >= change) : this.#dataOf(change);
    }, readBackMs);
    for (const delayMs of delaysMs)
      setTimeout(
        () => connection.deliver({ type: 'step', chat, change, ...(!isTooLarge && data && { data }) }),
        readBackMs + delayMs,
      );
  }

  /** Sends what comes after the connection's position, in order. */
  #sendNext(connection: SimulatedConnection): void {
    while (connection.position < this.version) {
      const change = ++connection.position;
      const data = this.#dataOf(change);
      if (data.length > 0)
        connection.deliver({ type: 'step', chat, change, ...(!this.#tooLarge.has(change) && { data }) });
    }
  }
}

class SimulatedConnection implements Connection {
  readonly isOrdered: boolean;
  readonly silenceMs: number;
  readonly checkMs?: { first: number; longest: number };
  /** The version up to which everything was sent, on a connection that keeps the order. */
  position: number;
  readonly #onClose: (connection: SimulatedConnection) => void;
  readonly #events: WireEvent[] = [];
  #lost: { reason: unknown } | undefined;
  #isSilent = false;
  #timer: NodeJS.Timeout | undefined;
  #wake = () => {};

  constructor(isOrdered: boolean, position: number, onClose: (connection: SimulatedConnection) => void) {
    this.isOrdered = isOrdered;
    this.position = position;
    this.#onClose = onClose;
    this.silenceMs = 2 * heartbeatMs;
    if (!isOrdered) this.checkMs = { first: heartbeatMs, longest: 10 * heartbeatMs };
  }

  every(ms: number, event: () => WireEvent): void {
    this.#timer = setInterval(() => this.deliver(event()), ms);
  }

  silence(): void {
    clearInterval(this.#timer);
    this.#isSilent = true;
  }

  deliver(event: WireEvent): void {
    if (this.#isSilent) return;
    this.#events.push(event);
    this.#wake();
  }

  lose(reason: unknown = new ChatSystemError({ status: 0, code: 'no_response', detail: 'lost' })): void {
    this.#lost ??= { reason };
    clearInterval(this.#timer);
    this.#wake();
  }

  async next(ms: number): Promise<WireEvent | undefined> {
    if (this.#events.length === 0 && !this.#lost)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // The longest delay that a timer takes.
        setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
      });
    if (this.#lost) throw this.#lost.reason;
    return this.#events.shift();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#onClose(this);
  }
}
