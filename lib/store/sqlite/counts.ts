import type { Database } from '../../sqlite/database.ts';
import type { Mark } from '../counting.ts';
import { countOf, type NotExisting } from '../sql/schema.ts';

/** Returns SQL whose row is a `NotExisting`. ?1 is the token; ?2 is the chat's number, or 0 to count an application. */
const notExisting = (table: 'chats' | 'messages', below: string) => `
  SELECT (SELECT count(*) FROM ${table} AS r WHERE r.token = ?1 ${below} AND r.deleted = 1) AS deleted,
    count(*) AS voids,
    count(CASE WHEN EXISTS (SELECT 1 FROM ${table} AS r WHERE r.token = ?1 ${below} AND r.number = v.number
      AND (r.deleted = 1 OR r.created_at IS NOT NULL)) THEN 1 END) AS filled
  FROM missing_numbers AS v WHERE v.token = ?1 AND v.chat = ?2 AND v.void = 1`;

const statements = {
  notExistingChats: notExisting('chats', ''),
  notExistingMessages: notExisting('messages', 'AND r.chat = ?2'),
  countChats: 'UPDATE applications SET chats_count = ?1, counted = ?2 WHERE token = ?3 AND counted <= ?2',
  countMessages:
    'UPDATE chats SET messages_count = ?1, counted = ?2 WHERE token = ?3 AND number = ?4 AND counted <= ?2',
  clear: 'DELETE FROM rollup_marks WHERE token = ? AND chat = ? AND version = ?',
};

/** Sets the counts of a page of marks, and clears the marks that have not changed, in one transaction. */
export function setCounts(database: Database, marks: Mark[], highestNumbers: (number | undefined)[]): void {
  database.transaction(() => {
    for (const [i, mark] of marks.entries()) {
      const highest = highestNumbers[i];
      if (highest !== undefined) count(database, mark, highest);
      database.prepare(statements.clear).run(mark.token, mark.chat ?? 0, mark.tag);
    }
  });
}

function count(database: Database, { token, chat }: Mark, highest: number): void {
  const ofChat = chat !== undefined;
  const found = database
    .prepare(ofChat ? statements.notExistingMessages : statements.notExistingChats)
    .get(token, chat ?? 0);
  const { existing, counted } = countOf(highest, found as unknown as NotExisting);
  if (ofChat) database.prepare(statements.countMessages).run(existing, counted, token, chat);
  else database.prepare(statements.countChats).run(existing, counted, token);
}
