import { type ExpressionBuilder, sql } from 'kysely';
import { limits } from '../../limits.ts';
import { bytesOf } from '../../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import type { NumberRange } from '../../model/ranges.ts';
import type { Version } from '../../model/version.ts';
import type { Write } from '../../model/write.ts';
import type { Mark } from '../counting.ts';
import type { MergedMessage } from '../merging.ts';
import type { Purge } from '../purging.ts';
import type { Found, ListRange, Rows, StoredApplication, StoredChat, StoredMessage } from '../reads.ts';
import type { Store } from '../store.ts';
import { application, chat, mergedMessage, message, messageColumns, parentOf } from './rows.ts';
import type { Schema } from './schema.ts';
import { messagesAtATime, SqlChanges } from './sql-changes.ts';

const found = <Row extends { deleted: number; created_at: number | null }, Thing>(
  row: Row | undefined,
  thing: (row: Row) => Thing,
): Found<Thing> => {
  if (row?.deleted) return 'deleted';
  return row && row.created_at !== null ? thing(row) : 'unknown';
};

/**
 * The part of the store whose SQL is the same in SQLite, MySQL and MariaDB: everything except `merge`, `merged`,
 * `setCounts` and `steps`.
 */
export abstract class SqlStore extends SqlChanges implements Store {
  abstract merge(writes: Write[]): Promise<Version[]>;
  abstract merged(keys: MessageKey[]): Promise<MergedMessage[]>;
  abstract setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void>;

  readonly #application = this.prepared(({ token }: { token: string }) =>
    this.db.selectFrom('applications').selectAll().where('token', '=', token),
  );

  async application(token: string) {
    const [row] = await this.#application({ token });
    return found(row, application);
  }

  readonly #chat = this.prepared(({ token, chat }: ChatKey) =>
    this.db
      .selectFrom('chats')
      .leftJoin('applications', 'applications.token', 'chats.token')
      .selectAll('chats')
      .select('applications.deleted as application_deleted')
      .where('chats.token', '=', token)
      .where('chats.number', '=', chat),
  );

  async chat(token: string, number: number) {
    const [row] = await this.#chat({ token, chat: number });
    if (row?.application_deleted) return 'deleted';
    return found(row, chat);
  }

  /** Returns the condition that the chat and its application are stored and not deleted. It is evaluated once. */
  #exists({ token, chat }: ChatKey) {
    return this.db
      .selectFrom('chats')
      .innerJoin('applications', 'applications.token', 'chats.token')
      .select(sql.lit(1).as('one'))
      .where('chats.token', '=', token)
      .where('chats.number', '=', chat)
      .where('chats.deleted', '=', 0)
      .where('chats.created_at', 'is not', null)
      .where('applications.deleted', '=', 0);
  }

  readonly #message = this.prepared(({ token, chat, number }: MessageKey) =>
    this.db
      .selectFrom('messages')
      .select([...messageColumns, 'deleted'])
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '=', number),
  );

  async message(token: string, chat: number, number: number) {
    const [row] = await this.#message({ token, chat, number });
    const stored = found(row, message);
    if (stored !== 'unknown') return stored;
    return (await this.#voids({ token, chat, from: number, to: number })).length > 0 ? 'void' : stored;
  }

  readonly #existingMessage = this.prepared(({ token, chat, number }: MessageKey) =>
    this.db
      .selectFrom('messages')
      .select(messageColumns)
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '=', number)
      .where(existing)
      .where((row) => row.exists(this.#exists({ token, chat }))),
  );

  async existingMessage(token: string, chat: number, number: number) {
    const [row] = await this.#existingMessage({ token, chat, number });
    return row && message(row);
  }

  async applications({ after, order, limit }: Parameters<Store['applications']>[0]): Promise<Rows<StoredApplication>> {
    const beyond = order === 'asc' ? '>' : '<';
    let query = this.db
      .selectFrom('applications')
      .selectAll()
      .where('deleted', '=', 0)
      .where('created_at', 'is not', null)
      .orderBy('created_at', order)
      .orderBy('token', order)
      .limit(limit + 1);
    if (after) {
      const { createdAt, token } = after;
      query = query
        .where('created_at', `${beyond}=`, createdAt)
        .where((row) => row.or([row('created_at', beyond, createdAt), row('token', beyond, token)]));
    }
    const rows = await query.execute();
    return { rows: rows.slice(0, limit).map(application), more: rows.length > limit };
  }

  async chats(token: string, range: ListRange & { only?: readonly number[] }): Promise<Rows<StoredChat>> {
    const { only } = range;
    const rows = await this.db
      .selectFrom('chats')
      .selectAll()
      .where('token', '=', token)
      .where(existing)
      .where(inPage(range))
      .$if(only !== undefined, (query) => query.where('number', 'in', only ?? []))
      .orderBy('number', range.order)
      .limit(range.limit + 1)
      .execute();
    return { rows: rows.slice(0, range.limit).map(chat), more: rows.length > range.limit };
  }

  /** The queries of pages, by the order of the list, and by whether the chat must exist. */
  readonly #pages = {
    asc: { any: this.#page('asc', false), existing: this.#page('asc', true) },
    desc: { any: this.#page('desc', false), existing: this.#page('desc', true) },
  };

  #page(order: ListRange['order'], inExistingChat: boolean) {
    return this.prepared(
      ({ token, chat, after, before, limit }: ChatKey & { after: number; before: number; limit: number }) =>
        this.db
          .selectFrom('messages')
          .select(messageColumns)
          .where('token', '=', token)
          .where('chat', '=', chat)
          .where(existing)
          .where('number', '>', after)
          .where('number', '<', before)
          .$if(inExistingChat, (query) => query.where((row) => row.exists(this.#exists({ token, chat }))))
          .orderBy('number', order)
          .limit(limit),
    );
  }

  messages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#messages({ token, chat }, range, 'any');
  }

  existingMessages(token: string, chat: number, range: ListRange): Promise<Rows<StoredMessage>> {
    return this.#messages({ token, chat }, range, 'existing');
  }

  async #messages(key: ChatKey, range: ListRange, chats: 'any' | 'existing'): Promise<Rows<StoredMessage>> {
    const { order } = range;
    let { after = 0, before = limits.highestNumber + 1 } = range;
    const rows: StoredMessage[] = [];
    let bytes = 0;
    while (rows.length < range.limit && bytes < limits.pageBytes) {
      const wanted = Math.min(range.limit - rows.length, messagesAtATime);
      const next = await this.#pages[order][chats]({ ...key, after, before, limit: wanted + 1 });
      for (const row of next.slice(0, wanted)) rows.push(message(row));
      if (next.length <= wanted) return { rows, more: false };
      if (rows.length === range.limit) break;
      for (const row of next) bytes += bytesOf(row);
      const last = rows.at(-1)?.number as number;
      if (order === 'asc') after = last;
      else before = last;
    }
    return { rows, more: true };
  }

  async missingNumbers(
    { token, chat, from, to }: ChatKey & NumberRange,
    { max, listed }: { max: number; listed?: number[] },
  ): Promise<number[]> {
    const missing: number[] = [];
    // A list that has every number of the range misses none. Most pages are such lists, and need no query.
    if (listed?.length === Math.abs(to - from) + 1) return missing;
    const step = from <= to ? 1 : -1;
    const [lowest, highest] = [Math.min(from, to), Math.max(from, to)];
    const known = this.db
      .selectFrom('messages')
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '>=', lowest)
      .where('number', '<=', highest)
      .where((row) =>
        row.or([
          row('deleted', '=', 1),
          row.and([row('created_at', 'is not', null), ...(listed ? [row('number', 'in', listed)] : [])]),
        ]),
      );
    const { count } = await known.select((row) => row.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
    if (Number(count) === Math.abs(to - from) + 1) return missing;
    const numbers = await known
      .select('number')
      .orderBy('number', step === 1 ? 'asc' : 'desc')
      .execute();
    const voids = new Set(await this.#voids({ token, chat, from: lowest, to: highest }));
    let next = from;
    for (const { number } of [...numbers, { number: to + step }]) {
      for (; next !== number && missing.length < max; next += step) if (!voids.has(next)) missing.push(next);
      next = number + step;
    }
    return missing;
  }

  readonly #voidNumbers = this.prepared(({ token, chat, from, to }: ChatKey & NumberRange) =>
    this.db
      .selectFrom('missing_numbers')
      .select('number')
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '>=', from)
      .where('number', '<=', to)
      .where('void', '=', 1),
  );

  async #voids(range: ChatKey & NumberRange): Promise<number[]> {
    const rows = await this.#voidNumbers(range);
    return rows.map(({ number }) => number);
  }

  async existingChats(token: string, chats: number[]): Promise<Set<number>> {
    if (chats.length === 0) return new Set();
    const deleted = await this.db
      .selectFrom('chats')
      .select('number')
      .where('token', '=', token)
      .where('number', 'in', chats)
      .where('deleted', '=', 1)
      .execute();
    const gone = new Set(deleted.map(({ number }) => number));
    return new Set(chats.filter((number) => !gone.has(number)));
  }

  async scan(limit: number, after?: MessageKey): Promise<MergedMessage[]> {
    const rows: Schema['messages'][] = [];
    // One query for each range of the primary key. With one condition for all, neither engine would start reading at
    // the range.
    const ranges = after
      ? [
          sql<boolean>`token = ${after.token} AND chat = ${after.chat} AND number > ${after.number}`,
          sql<boolean>`token = ${after.token} AND chat > ${after.chat}`,
          sql<boolean>`token > ${after.token}`,
        ]
      : [sql<boolean>`token > ''`];
    for (const range of ranges)
      if (rows.length < limit)
        rows.push(
          ...(await this.db
            .selectFrom('messages')
            .selectAll()
            .where(range)
            .orderBy('token')
            .orderBy('chat')
            .orderBy('number')
            .limit(limit - rows.length)
            .execute()),
        );
    return rows.map(mergedMessage);
  }

  async marks(limit: number, after?: Parent): Promise<Mark[]> {
    let query = this.db.selectFrom('rollup_marks').selectAll().orderBy('token').orderBy('chat').limit(limit);
    if (after) {
      const { token, chat = 0 } = after;
      query = query
        .where('token', '>=', token)
        .where((row) => row.or([row('token', '>', token), row('chat', '>', chat)]));
    }
    return (await query.execute()).map((row) => ({ ...parentOf(row), tag: row.version }));
  }

  async purges(now: number): Promise<Purge[]> {
    const rows = await this.db
      .selectFrom('purges')
      .selectAll()
      .where((row) =>
        row.or([
          // A first pass is always due. Its `due_at` comes from the machine that accepted the deletion, whose clock may
          // be wrong.
          row('pass', '=', 1),
          row('due_at', '<=', now),
          // Only a clock that was wrong by more than the retention can have set this time, so the pass is due.
          row('due_at', '>', now + 2 * limits.queueRetentionMs),
        ]),
      )
      .orderBy('due_at')
      .execute();
    return rows.map((row) => ({ ...parentOf(row), pass: row.pass }));
  }

  async purgeRows(deleted: Parent, limit: number): Promise<number> {
    const { token, chat } = deleted;
    for (const table of ['messages', 'missing_numbers'] as const) {
      const rows = await this.#purgeNumbers(table, deleted, limit);
      if (rows > 0) return rows;
    }
    if (chat !== undefined) {
      await this.#purgeVersions(token, [chat]);
      return 0;
    }
    const rows = await this.db.selectFrom('chats').select('number').where('token', '=', token).limit(limit).execute();
    const numbers = rows.map(({ number }) => number);
    await this.#purgeVersions(token, numbers.length > 0 ? numbers : undefined);
    if (numbers.length > 0)
      await this.db.deleteFrom('chats').where('token', '=', token).where('number', 'in', numbers).execute();
    return numbers.length;
  }

  /**
   * Removes the versions of chats.
   *
   * @param chats the numbers of the chats; undefined removes all versions of the application, which are few once its
   *   chats are removed
   */
  async #purgeVersions(token: string, chats: number[] | undefined): Promise<void> {
    await this.db
      .deleteFrom('versions')
      .where('token', '=', token)
      .$if(chats !== undefined, (query) => query.where('chat', 'in', chats ?? []))
      .execute();
  }

  /** Deletes a range of the primary key. So neither engine sorts rows, or locks rows that it does not delete. */
  async #purgeNumbers(table: 'messages' | 'missing_numbers', { token, chat }: Parent, limit: number): Promise<number> {
    const target =
      chat ??
      (
        await this.db
          .selectFrom(table)
          .select('chat')
          .where('token', '=', token)
          .orderBy('chat')
          .limit(1)
          .executeTakeFirst()
      )?.chat;
    if (target === undefined) return 0;
    const numbers = await this.db
      .selectFrom(table)
      .select('number')
      .where('token', '=', token)
      .where('chat', '=', target)
      .orderBy('number')
      .limit(limit)
      .execute();
    const last = numbers.at(-1);
    if (last)
      await this.db
        .deleteFrom(table)
        .where('token', '=', token)
        .where('chat', '=', target)
        .where('number', '<=', last.number)
        .execute();
    return numbers.length;
  }

  async endPurge({ token, chat = 0, pass }: Purge, againAt?: number): Promise<void> {
    const purge = { token, chat, pass };
    const where = (row: ExpressionBuilder<Schema, 'purges'>) => row.and(purge);
    if (againAt === undefined) await this.db.deleteFrom('purges').where(where).execute();
    else
      await this.db
        .updateTable('purges')
        .set({ due_at: againAt, pass: pass + 1 })
        .where(where)
        .execute();
  }
}

/** The condition for rows that readers may see. */
const existing = (row: ExpressionBuilder<Schema, 'chats' | 'messages'>) =>
  row.and([row('deleted', '=', 0), row('created_at', 'is not', null)]);

const inPage =
  ({ after, before }: ListRange) =>
  (row: ExpressionBuilder<Schema, 'chats' | 'messages'>) =>
    row.and([
      ...(after === undefined ? [] : [row('number', '>', after)]),
      ...(before === undefined ? [] : [row('number', '<', before)]),
    ]);
