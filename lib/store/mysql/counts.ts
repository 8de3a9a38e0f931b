import { type Kysely, sql } from 'kysely';
import type { Mark } from '../counting.ts';
import { countOf, type NotExisting, type Schema } from '../sql/schema.ts';
import { keyTable, keyToken, rowTable } from './keys.ts';

type Db = Kysely<Schema>;

/** What the roll-up counts for a mark: the chats of an application, or the messages of a chat. */
interface Level {
  /** The table whose rows are counted. */
  countedTable: 'chats' | 'messages';
  table: 'applications' | 'chats';
  column: 'chats_count' | 'messages_count';
}
const ofApplications: Level = { countedTable: 'chats', table: 'applications', column: 'chats_count' };
const ofChats: Level = { countedTable: 'messages', table: 'chats', column: 'messages_count' };

/** Sets the counts of a page of marks, with two statements for applications and two for chats. */
export async function setCounts(db: Db, marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
  const known = marks.flatMap((mark, i) => {
    const highest = highestNumbers[i];
    return highest === undefined ? [] : [{ ...mark, highest }];
  });
  await setOn(
    db,
    ofApplications,
    known.filter(({ chat }) => chat === undefined),
  );
  await setOn(
    db,
    ofChats,
    known.filter(({ chat }) => chat !== undefined),
  );
}

async function setOn(db: Db, level: Level, marks: (Mark & { highest: number })[]): Promise<void> {
  if (marks.length === 0) return;
  const found = await notExisting(db, level, marks);
  const rows = marks.flatMap(({ token, chat = 0, highest }): [string, ...number[]][] => {
    const counts = found.get(`${token}/${chat}`);
    if (!counts) return [];
    const { existing, counted } = countOf(highest, counts);
    return [[token, chat, existing, counted]];
  });
  const row = sql.table(level.table);
  await sql`UPDATE ${rowTable(['chat', 'existing', 'counted'], rows)}
    STRAIGHT_JOIN ${row} ON ${row}.token = ${keyToken} ${level === ofChats ? sql`AND ${row}.number = k.chat` : sql``}
    SET ${row}.${sql.ref(level.column)} = k.existing, ${row}.counted = k.counted
    WHERE ${row}.counted <= k.counted`.execute(db);
}

/** Returns the counts of numbers without an existing row below each mark, by `token/chat`. */
async function notExisting(db: Db, { countedTable }: Level, marks: Mark[]): Promise<Map<string, NotExisting>> {
  const inChat = countedTable === 'messages';
  const keys = marks.map(({ token, chat = 0 }) => ({ token, chat }));
  const { rows } = await sql<{ token: string; chat: number } & NotExisting>`
    SELECT k.token, k.chat,
      (SELECT count(*) FROM ${sql.table(countedTable)} AS r
        WHERE r.token = ${keyToken} ${inChat ? sql`AND r.chat = k.chat` : sql``} AND r.deleted = 1) AS deleted,
      (SELECT count(*) FROM missing_numbers AS v
        WHERE v.token = ${keyToken} AND v.chat = k.chat AND v.void = 1) AS voids,
      (SELECT count(*) FROM missing_numbers AS v JOIN ${sql.table(countedTable)} AS r
        ON r.token = v.token AND r.number = v.number ${inChat ? sql`AND r.chat = v.chat` : sql``}
        WHERE v.token = ${keyToken} AND v.chat = k.chat AND v.void = 1
          AND (r.deleted = 1 OR r.created_at IS NOT NULL)) AS filled
    FROM ${keyTable(keys)}`.execute(db);
  return new Map(rows.map((row) => [`${row.token}/${row.chat}`, row]));
}

/** Clears the marks that have not changed since they were read. */
export async function clearMarks(db: Db, marks: Mark[]): Promise<void> {
  if (marks.length === 0) return;
  const rows = marks.map(({ token, chat = 0, tag }): [string, ...number[]] => [token, chat, tag]);
  await sql`DELETE rollup_marks FROM ${rowTable(['chat', 'tag'], rows)} STRAIGHT_JOIN rollup_marks
    ON rollup_marks.token = ${keyToken} AND rollup_marks.chat = k.chat
    WHERE rollup_marks.version = k.tag`.execute(db);
}
