import { type RawBuilder, type Selectable, sql } from 'kysely';
import { limits } from '../../limits.ts';
import { bytesOf, contentMembers, revisionName } from '../../model/content.ts';
import type { ChatKey, Parent } from '../../model/keys.ts';
import type { Version } from '../../model/version.ts';
import type { Change, Changes, ChangesPage, ChangesRange, ChatState, Step } from '../changes.ts';
import type { StoredMessage } from '../reads.ts';
import { chat, message } from './rows.ts';
import type { Schema } from './schema.ts';
import { SqlInventory } from './sql-inventory.ts';

/** Messages that are read at a time for a page. The longest ones take 10 MB together. */
export const messagesAtATime = 250;

type MessageRow = Schema['messages'];
type ChatRow = Selectable<Schema['chats']>;

/**
 * Returns the change that a row stands for.
 *
 * @param revisions those of the row's members; all are 0 if it was never edited
 * @param stored returns the message or chat in the row. It is not called for a deleted row
 */
const changeOf = <Stored>(
  row: { version: number; number: number; deleted: number },
  revisions: number[],
  stored: () => Stored,
): Change<Stored> => {
  const { version, number } = row;
  if (row.deleted) return { version, number, type: 'deleted' };
  return { version, number, type: revisions.some((revision) => revision > 0) ? 'edited' : 'created', stored: stored() };
};

export const messageChange = (row: MessageRow): Change<StoredMessage> =>
  changeOf(
    row,
    contentMembers.map((member) => row[revisionName(member)]),
    () => message(row),
  );

export const chatChange = (row: ChatRow): Change<ChatState> =>
  changeOf(row, [row.revision, row.metadata_revision], () => {
    const { messagesCount: _, ...state } = chat(row);
    return state;
  });

/** The changes in SQL. Each query reads a range of the index over versions, in its order. */
export abstract class SqlChanges extends SqlInventory implements Changes {
  abstract steps(versions: Version[]): Promise<Step[]>;
  /** Returns the SQL that makes a query use an index of its table. Without it, MySQL may sort a whole chat instead. */
  protected abstract indexHint(index: string): RawBuilder<unknown>;

  async messageChanges({ token, chat }: ChatKey, range: ChangesRange): Promise<ChangesPage<StoredMessage>> {
    const changes: Change<StoredMessage>[] = [];
    let bytes = 0;
    let next: number | undefined;
    for (let { after } = range; changes.length < range.limit && bytes < limits.pageBytes; ) {
      const limit = Math.min(range.limit - changes.length, messagesAtATime);
      const rows = await this.#changed<MessageRow>('messages', { token, chat }, { ...range, after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      changes.push(...page.map(messageChange));
      next = rows[limit]?.version;
      if (next === undefined) break;
      for (const row of page) bytes += bytesOf(row);
      after = page.at(-1) as MessageRow;
    }
    return { changes, next };
  }

  async chatChanges(token: string, range: ChangesRange): Promise<ChangesPage<ChatState>> {
    const { limit } = range;
    const rows = await this.#changed<ChatRow>('chats', { token }, { ...range, limit: limit + 1 });
    return { changes: rows.slice(0, limit).map(chatChange), next: rows[limit]?.version };
  }

  /** Returns the rows of the range that readers may see, or might have seen before they were deleted. */
  async #changed<Row extends ChatRow | MessageRow>(
    table: 'chats' | 'messages',
    { token, chat }: Parent,
    { after, upTo, limit }: ChangesRange,
  ): Promise<Row[]> {
    const below = chat === undefined ? sql`token = ${token}` : sql`token = ${token} AND chat = ${chat}`;
    const rowsIn = async (range: RawBuilder<unknown>, most: number) => {
      const { rows } = await sql<Row>`
        SELECT * FROM ${sql.table(table)} ${this.indexHint(`${table}_by_version`)} WHERE ${below} AND ${range}
        ORDER BY version, number LIMIT ${sql.lit(most)}`.execute(this.db);
      return rows;
    };
    const rows: Row[] = [];
    // One query for each range of the index, because with one condition for all neither engine would start reading at
    // the position.
    for (const seen of [sql`deleted = 0 AND created_at IS NOT NULL`, sql`deleted = 1`]) {
      const rest =
        after.number === undefined
          ? []
          : await rowsIn(sql`${seen} AND version = ${after.version} AND number > ${after.number}`, limit);
      rows.push(...rest);
      if (rest.length < limit)
        rows.push(
          ...(await rowsIn(sql`${seen} AND version > ${after.version} AND version <= ${upTo}`, limit - rest.length)),
        );
    }
    return rows.sort((a, b) => a.version - b.version || a.number - b.number).slice(0, limit);
  }
}
