import { limits } from '../../limits.ts';
import { bytesOf } from '../../model/content.ts';
import { TooLong } from '../../model/errors.ts';
import type { ChatKey } from '../../model/keys.ts';
import type { NumberRange } from '../../model/ranges.ts';
import type { Database } from '../../sqlite/database.ts';
import type { ListRange, Rows, StoredMessage } from '../reads.ts';
import { message, messageColumns } from '../sql/rows.ts';
import type { Schema } from '../sql/schema.ts';
import { SqliteStore } from './sqlite-store.ts';

/**
 * The limits of a short page: 100 messages with 64 kB of text, found among 1,000 consecutive numbers. Reading it
 * takes 0.1 ms and writing it as JSON 0.4 ms, or 1 ms if all characters are escaped. A longer body than `bodyBytes` is
 * not read at all, so that at most 0.4 MB are read from the disk.
 */
const most = { messages: 100, numbers: 1_000, bytes: 65_536, bodyBytes: 4_096 };

/** The columns that `message` reads; a body that is too long is null. `octet_length` does not read the text. */
const columns = messageColumns.map((column) =>
  column === 'body' ? `iif(octet_length(body) <= ${most.bodyBytes}, body, NULL) AS body` : column,
);
const pageStatement = (order: ListRange['order'], chats: Chats) => `SELECT ${columns.join(', ')} FROM messages
  WHERE token = ?1 AND chat = ?2 AND deleted = 0 AND created_at IS NOT NULL AND number > ?3 AND number < ?4
  ${chats === 'existing' ? `AND EXISTS (${existingChat})` : ''} ORDER BY number ${order} LIMIT ?5`;

/** `existing`: the page is empty unless the chat exists, as in `existingMessages`. `any`: the chat is not checked. */
type Chats = 'any' | 'existing';

const existingChat = `SELECT 1 FROM chats JOIN applications ON applications.token = chats.token
  WHERE chats.token = ?1 AND chats.number = ?2 AND chats.deleted = 0 AND chats.created_at IS NOT NULL
  AND applications.deleted = 0`;

const statements = {
  highest: 'SELECT max(number) AS highest FROM messages WHERE token = ? AND chat = ?',
  asc: { any: pageStatement('asc', 'any'), existing: pageStatement('asc', 'existing') },
  desc: { any: pageStatement('desc', 'any'), existing: pageStatement('desc', 'existing') },
};

/** The store in SQLite, for a thread that must not read long pages of messages: it throws `TooLong` instead. */
export class ShortPages extends SqliteStore {
  readonly #database: Database;

  constructor(database: Database) {
    super(database);
    this.#database = database;
  }

  override async messages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#page({ token, chat }, range, 'any');
  }

  override async existingMessages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#page({ token, chat }, range, 'existing');
  }

  override async missingNumbers(
    range: ChatKey & NumberRange,
    options: { max: number; listed?: number[] },
  ): Promise<number[]> {
    if (Math.abs(range.to - range.from) > most.numbers) throw new TooLong();
    return super.missingNumbers(range, options);
  }

  /**
   * Reads a page from at most `most.numbers` consecutive numbers.
   *
   * @throws TooLong when the page may also have messages with other numbers, or when it is longer than `most` allows
   */
  #page(
    key: ChatKey,
    { after = 0, before = limits.highestNumber + 1, order, limit }: ListRange,
    chats: Chats,
  ): Rows<StoredMessage> {
    if (limit > most.messages) throw new TooLong();
    const isAscending = order === 'asc';
    const end = Math.min(before, isAscending ? after + most.numbers + 1 : this.#highest(key) + 1);
    const begin = isAscending ? after : Math.max(after, end - most.numbers - 1);
    const values = [key.token, key.chat, begin, end, limit + 1];
    const found = this.#database.rows<Schema['messages']>(statements[order][chats], values);
    const isFull = found.length > limit;
    const isWhole = isFull || (isAscending ? end === before || end > this.#highest(key) : begin === after);
    if (!isWhole) throw new TooLong();
    const rows: StoredMessage[] = [];
    let bytes = 0;
    for (const row of found.slice(0, limit)) {
      if (row.body === null) throw new TooLong();
      bytes += bytesOf(row);
      if (bytes > most.bytes) throw new TooLong();
      rows.push(message(row));
    }
    return { rows, more: isFull };
  }

  #highest({ token, chat }: ChatKey): number {
    const row = this.#database.prepare(statements.highest).get(token, chat) as { highest: number | null };
    return row.highest ?? 0;
  }
}
