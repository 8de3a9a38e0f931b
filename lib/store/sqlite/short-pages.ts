import { limits } from '../../limits.ts';
import { TooLong } from '../../model/errors.ts';
import type { ChatKey } from '../../model/keys.ts';
import type { NumberRange } from '../../model/ranges.ts';
import type { Database } from '../../sqlite/database.ts';
import type { ListRange, Rows, StoredMessage } from '../reads.ts';
import { SqliteStore } from './sqlite-store.ts';

/**
 * The longest page that is short: 100 messages with 64 kB of text, found among 1,000 consecutive numbers. Reading it
 * takes 0.1 ms and writing it as JSON 0.4 ms, or 1 ms if all characters are escaped.
 */
const most = { messages: 100, bytes: 65_536, numbers: 1_000 };

const bytesStatement = (order: ListRange['order']) => `SELECT sum(bytes) AS bytes FROM (
  SELECT octet_length(body) + coalesce(octet_length(metadata), 0) AS bytes FROM messages
  WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL AND number > ? AND number < ?
  ORDER BY number ${order} LIMIT ?)`;

const statements = {
  highest: 'SELECT max(number) AS highest FROM messages WHERE token = ? AND chat = ?',
  // SQLite does not read a text for its length.
  bytes: { asc: bytesStatement('asc'), desc: bytesStatement('desc') },
};

/** The store in SQLite, for a thread that must not read long pages of messages: it throws `TooLong` instead. */
export class ShortPages extends SqliteStore {
  readonly #database: Database;

  constructor(database: Database) {
    super(database);
    this.#database = database;
  }

  override messages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#short({ token, chat }, range, (short) => super.messages(token, chat, short));
  }

  override liveMessages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#short({ token, chat }, range, (short) => super.liveMessages(token, chat, short));
  }

  override async missingNumbers(
    range: ChatKey & NumberRange,
    options: { max: number; listed?: number[] },
  ): Promise<number[]> {
    if (Math.abs(range.to - range.from) > most.numbers) throw new TooLong();
    return super.missingNumbers(range, options);
  }

  /** Reads a page within as many numbers as may be read, and checks that it is the same page as without that limit. */
  async #short(
    { token, chat }: ChatKey,
    { after = 0, before = limits.highestNumber + 1, order, limit }: ListRange,
    read: (range: ListRange) => Promise<Rows<StoredMessage>>,
  ): Promise<Rows<StoredMessage>> {
    if (limit > most.messages) throw new TooLong();
    const highest = this.#get<{ highest: number | null }>(statements.highest, token, chat).highest ?? 0;
    const end = Math.min(before, order === 'asc' ? after + most.numbers + 1 : highest + 1);
    const begin = order === 'asc' ? after : Math.max(after, end - most.numbers - 1);
    const { bytes } = this.#get<{ bytes: number | null }>(
      statements.bytes[order],
      ...[token, chat, begin, end, limit + 1],
    );
    if (Number(bytes) > most.bytes) throw new TooLong();
    const page = await read({ after: begin, before: end, order, limit });
    const isWhole = order === 'asc' ? end > highest || end === before : begin === after;
    if (!page.more && !isWhole) throw new TooLong();
    return page;
  }

  #get<Row>(statement: string, ...values: (string | number)[]): Row {
    return this.#database.prepare(statement).get(...values) as Row;
  }
}
