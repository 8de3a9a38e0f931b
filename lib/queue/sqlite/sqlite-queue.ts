import { limits } from '../../limits.ts';
import type { GroupCommit } from '../../sqlite/group-commit.ts';
import { steadyClock } from '../../steady-clock.ts';
import type { DeadLetter, Delivery, KeptDeadLetter, Queue } from '../queue.ts';

/** Dead letters that are redriven in one transaction. */
const deadLettersAtOnce = 100;

/** Records that `records` reads at a time. Each may be 1 MB. */
const recordsAtOnce = 10;

export interface SqliteQueueOptions {
  /** How long a receiver may hold a delivery before it counts as failed, in milliseconds; default 60 s. */
  visibilityMs?: number;
  /** Deliveries after which a message becomes a dead letter; default `limits.maxReceives`. */
  maxReceives?: number;
  /** The system's clock, in milliseconds since 1970. It only dates dead letters. */
  now?: () => number;
  /** The monotonic clock, in milliseconds; default `performance.now`. */
  elapsed?: () => number;
}

/**
 * A queue in a table of the ledger's file. Messages in flight are known in memory only: one process uses the file at a
 * time, and when it dies, all messages in flight must be delivered again.
 *
 * `visible_at` is a time of the queue's `steadyClock`. A message is due as soon as it is sent; a released message is
 * due after its delay or after a restart. In files of earlier versions, `visible_at` is a time of the system's clock.
 * Those messages are all due, even if that clock was wrong, because the steady clock starts at the latest of these
 * times.
 */
export class SqliteQueue implements Queue {
  readonly #commits: GroupCommit;
  readonly #name: string;
  readonly #visibilityMs: number;
  readonly #maxReceives: number;
  readonly #now: () => number;
  /** The clock of `visible_at` and of visibility timeouts. */
  readonly #steady: () => number;
  /** The ids of messages in flight, and when their visibility timeouts end. */
  readonly #inFlight = new Map<number, number>();
  /** Whether the current transaction has inserted messages. */
  #inserted = false;

  constructor(commits: GroupCommit, name: string, options: SqliteQueueOptions = {}) {
    this.#commits = commits;
    this.#name = name;
    this.#visibilityMs = options.visibilityMs ?? 60_000;
    this.#maxReceives = options.maxReceives ?? limits.maxReceives;
    this.#now = options.now ?? Date.now;
    const { latest } = this.#sql('SELECT max(visible_at) AS latest FROM queue_messages WHERE queue = ?').get(name) as {
      latest: number | null;
    };
    this.#steady = steadyClock(latest ?? 0, options.elapsed);
  }

  /** Calls the listener after each commit that inserted messages. */
  onMessages(listener: () => void): void {
    this.#commits.onCommit(() => {
      if (this.#inserted) listener();
      this.#inserted = false;
    });
  }

  /** Inserts the messages as part of the current transaction. */
  insert(bodies: string[]): void {
    const statement = this.#sql('INSERT INTO queue_messages (queue, visible_at, body) VALUES (?, ?, ?)');
    for (const body of bodies) statement.run(this.#name, this.#steady(), body);
    this.#inserted = true;
  }

  send(bodies: string[]): Promise<void> {
    return this.#commits.run(() => this.insert(bodies));
  }

  async receive(max: number): Promise<Delivery[]> {
    await this.#expire();
    // Deliver only what is on the disk. Otherwise, after a crash, the store could have writes that its ledger has lost.
    await this.#commits.synced();
    const now = this.#steady();
    const rows = this.#sql(
      'SELECT id, body, receives FROM queue_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?',
    ).iterate(this.#name, now, max + this.#inFlight.size) as Iterable<{ id: number; body: string; receives: number }>;
    const deliveries: Delivery[] = [];
    let size = 0;
    for (const { id, body, receives } of rows) {
      if (this.#inFlight.has(id)) continue;
      deliveries.push({ receipt: String(id), body, receives: receives + 1 });
      this.#inFlight.set(id, now + this.#visibilityMs);
      size += body.length;
      if (deliveries.length === max || size > limits.deliveryCharacters) break;
    }
    return deliveries;
  }

  /**
   * Returns the milliseconds until a message may be due, because its delay or its visibility timeout ends. Returns 0 if
   * one may be due now, and undefined if the queue is empty.
   */
  nextInMs(): number | undefined {
    const rows = this.#sql(
      'SELECT id, visible_at FROM queue_messages WHERE queue = ? ORDER BY visible_at, id LIMIT ?',
    ).iterate(this.#name, this.#inFlight.size + 1) as Iterable<{ id: number; visible_at: number }>;
    const times = [...this.#inFlight.values()];
    for (const { id, visible_at } of rows) if (!this.#inFlight.has(id)) times.push(visible_at);
    return times.length > 0 ? Math.max(Math.min(...times) - this.#steady(), 0) : undefined;
  }

  async acknowledge(receipts: string[]): Promise<void> {
    const ids = receipts.map(Number);
    await this.#commits.run(() => {
      const statement = this.#sql('DELETE FROM queue_messages WHERE id = ? AND queue = ?');
      for (const id of ids) statement.run(id, this.#name);
    });
    for (const id of ids) this.#inFlight.delete(id);
  }

  release(receipts: string[], delaySeconds: number): Promise<void> {
    return this.#giveBack(receipts.map(Number), this.#steady() + delaySeconds * 1_000);
  }

  addDeadLetters(deadLetters: DeadLetter[]): Promise<void> {
    return this.#commits.run(() => {
      for (const { body, reason } of deadLetters)
        this.#sql('INSERT INTO dead_letters (queue, body, reason, at) VALUES (?, ?, ?, ?)').run(
          this.#name,
          body,
          reason,
          this.#now(),
        );
    });
  }

  /** Yields the bodies of all messages that are not acknowledged, in flight or not. Reads them in pages. */
  async *records(): AsyncGenerator<string> {
    const some = this.#sql('SELECT id, body FROM queue_messages WHERE queue = ? AND id > ? ORDER BY id LIMIT ?');
    let rows = some.all(this.#name, 0, recordsAtOnce) as { id: number; body: string }[];
    for (let last = rows.at(-1); last; last = rows.at(-1)) {
      for (const { body } of rows) yield body;
      rows = some.all(this.#name, last.id, recordsAtOnce) as { id: number; body: string }[];
    }
  }

  /** Returns the number of messages that are not acknowledged, in flight or not, counted up to `most`. */
  messageCount(most: number): number {
    const some = 'SELECT 1 FROM queue_messages WHERE queue = ? LIMIT ?';
    return Number(this.#sql(`SELECT count(*) AS count FROM (${some})`).get(this.#name, most)?.count);
  }

  async deadLetters(max: number): Promise<KeptDeadLetter[]> {
    const rows = this.#sql('SELECT body, reason, at FROM dead_letters WHERE queue = ? ORDER BY id LIMIT ?').all(
      this.#name,
      max,
    ) as unknown as (DeadLetter & { at: number | null })[];
    return rows.map(({ at, ...deadLetter }) => ({ ...deadLetter, ...(at !== null && { at }) }));
  }

  async deadLetterCount(): Promise<number> {
    const row = this.#sql('SELECT count(*) AS count FROM dead_letters WHERE queue = ?').get(this.#name);
    return Number(row?.count);
  }

  async *redrive(): AsyncGenerator<number> {
    const newest = this.#sql('SELECT max(id) AS id FROM dead_letters WHERE queue = ?').get(this.#name)?.id as
      | number
      | null;
    let last = newest === null ? undefined : 0;
    // Redrive in the order of ids. A message that becomes a dead letter again meanwhile gets a new id, which is above
    // `newest`, or equal to it if `newest` was already removed. So the loop ends.
    while (last !== undefined && newest !== null && last < newest) {
      const redriven = await this.#commits.run(() => this.#redriveSome(newest));
      last = redriven.at(-1)?.id;
      if (redriven.length > 0) yield redriven.length;
    }
  }

  #redriveSome(newest: number): { id: number; body: string }[] {
    const deadLetters = this.#sql(
      'SELECT id, body FROM dead_letters WHERE queue = ? AND id <= ? ORDER BY id LIMIT ?',
    ).all(this.#name, newest, deadLettersAtOnce) as { id: number; body: string }[];
    this.insert(deadLetters.map(({ body }) => body));
    for (const { id } of deadLetters) this.#sql('DELETE FROM dead_letters WHERE id = ?').run(id);
    return deadLetters;
  }

  #expire(): Promise<void> | undefined {
    const now = this.#steady();
    const expired = [...this.#inFlight].filter(([, until]) => until <= now).map(([id]) => id);
    return expired.length > 0 ? this.#giveBack(expired, now) : undefined;
  }

  async #giveBack(ids: number[], visibleAt: number): Promise<void> {
    await this.#commits.run(() => {
      for (const id of ids) {
        this.#sql('UPDATE queue_messages SET receives = receives + 1, visible_at = ? WHERE id = ? AND queue = ?').run(
          visibleAt,
          id,
          this.#name,
        );
        this.#sql(
          `INSERT INTO dead_letters (queue, body, reason, at)
           SELECT queue, body, 'delivered ' || receives || ' times without success', ? FROM queue_messages
           WHERE id = ? AND receives >= ?`,
        ).run(this.#now(), id, this.#maxReceives);
        this.#sql('DELETE FROM queue_messages WHERE id = ? AND receives >= ?').run(id, this.#maxReceives);
      }
    });
    for (const id of ids) this.#inFlight.delete(id);
  }

  #sql(text: string) {
    return this.#commits.database.prepare(text);
  }
}
