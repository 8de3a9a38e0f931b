import { randomInt, randomUUID } from 'node:crypto';
import { DependencyFailure } from '../../model/errors.ts';
import { NotSent, type Outbox } from '../../queue/queue.ts';
import { type DynamodbTable, type Item, type ItemKey, text, textIn } from './table.ts';

/** The partitions that parked records are spread over, because each takes only 1,000 writes per second. */
const partitions = Array.from({ length: 16 }, (_, i) => `parked/${i}`);

/**
 * The number of records in one step of the sweep: one query, five calls of SQS and two of DynamoDB. With 16 partitions
 * swept in parallel and 10 ms a call, that is 10,000 records a second in all, or 625 in each partition: less than the
 * 1,000 deletions a second that DynamoDB takes in a partition. A query returns at most 1 MB, so a step has only two or
 * three records of the largest size.
 */
const recordsAtOnce = 50;

/**
 * Records of accepted writes that could not be sent to the store queue, kept in the ledger's table until they can be. A
 * record may be sent twice, because merging its writes again changes nothing.
 */
export class ParkedWrites {
  readonly #table: DynamodbTable;
  readonly #outbox: Outbox;

  constructor(table: DynamodbTable, outbox: Outbox) {
    this.#table = table;
    this.#outbox = outbox;
  }

  /**
   * Returns the item of a parked record, for a caller that puts it in its own transaction. Its sort key begins with the
   * time of acceptance.
   */
  itemOf(body: string, at: number): Item {
    const pk = partitions[randomInt(partitions.length)] as string;
    return { pk: text(pk), sk: text(`${new Date(at).toISOString()}/${randomUUID()}`), body: text(body) };
  }

  /**
   * Sends the records, and parks those that cannot be sent.
   *
   * @throws Unavailable when parking fails too
   */
  async sendOrPark(bodies: string[], at: number): Promise<void> {
    try {
      await this.#outbox.send(bodies);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      await this.#table.write(error.bodies.map((body) => this.itemOf(body, at)));
    }
  }

  /** Sends a parked record and removes it. If either fails, the sweeper does it later. */
  async sendParked(item: Item): Promise<void> {
    try {
      await this.#send([item]);
    } catch (error) {
      if (!(error instanceof NotSent || error instanceof DependencyFailure)) throw error;
    }
  }

  /**
   * Sends the parked records, and returns how many it sent. It works on all partitions in parallel, the oldest records
   * first in each. If it is stopped early, the next run sends the rest.
   *
   * A failure ends only the work on its partition. So when the table is throttled, the other partitions continue at the
   * rate that it accepts, and a record that the queue refuses does not block the records of other partitions.
   *
   * @param mayContinue called before each step; `false` ends the run
   * @throws NotSent, or a DependencyFailure, after all partitions ended: the failure of one of them
   */
  async sweep(mayContinue: () => boolean = () => true): Promise<number> {
    const results = await Promise.allSettled(partitions.map((each) => this.#sweepPartition(each, mayContinue)));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
    return results.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0), 0);
  }

  async #sweepPartition(partition: string, mayContinue: () => boolean): Promise<number> {
    let swept = 0;
    let items: Item[];
    do {
      if (!mayContinue()) return swept;
      items = await this.#table.query(partition, recordsAtOnce);
      if (items.length > 0) await this.#send(items);
      swept += items.length;
    } while (items.length > 0);
    return swept;
  }

  /** Yields the parked records. A record that is parked or sent meanwhile may be included or not. */
  async *records(): AsyncGenerator<string> {
    for (const partition of partitions) {
      let items = await this.#table.query(partition, recordsAtOnce);
      for (let last = items.at(-1); last; last = items.at(-1)) {
        for (const item of items) yield textIn(item, 'body');
        items = await this.#table.query(partition, recordsAtOnce, { after: textIn(last, 'sk') });
      }
    }
  }

  async #send(items: Item[]): Promise<void> {
    await this.#outbox.send(items.map((item) => textIn(item, 'body')));
    await this.#table.write([], items.map(itemKeyOf));
  }
}

const itemKeyOf = (item: Item): ItemKey => ({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') });
