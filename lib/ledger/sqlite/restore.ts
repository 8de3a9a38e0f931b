import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import type { Database } from '../../sqlite/database.ts';
import type { ChangedMessage, WholeEntry } from '../ledger.ts';

/**
 * Returns SQL that reads a column as a floating-point number. node:sqlite throws for integers above 2^53, which an
 * earlier version may have stored. As a floating-point number, such a value is approximate, and recognized as out of
 * bounds.
 */
export const asReal = (column: string): string => `CAST(${column} AS REAL) AS ${column}`;

/** Tokens that are read at a time. */
const tokensAtOnce = 1_000;

export async function* tokensIn(database: Database): AsyncGenerator<string> {
  const some = database.prepare('SELECT token FROM applications WHERE token > ? ORDER BY token LIMIT ?');
  let tokens = some.all('', tokensAtOnce) as { token: string }[];
  for (let last = tokens.at(-1); last; last = tokens.at(-1)) {
    for (const { token } of tokens) yield token;
    tokens = some.all(last.token, tokensAtOnce) as { token: string }[];
  }
}

export function entryIn(database: Database, { token, chat }: Parent): WholeEntry | undefined {
  const of = (counter: string, table: string, metadata: string) => `
    SELECT iif(deleted, NULL, name) AS name, ${metadata} AS metadata, ${asReal('revision')}, deleted, CAST(created_at AS REAL) AS createdAt,
      CAST(updated_at AS REAL) AS updatedAt, CAST(${counter} AS REAL) AS highest FROM ${table} WHERE token = ?`;
  const row =
    chat === undefined
      ? database.prepare(of('chats', 'applications', 'NULL')).get(token)
      : database.prepare(`${of('messages', 'chats', 'iif(deleted, NULL, metadata)')} AND number = ?`).get(token, chat);
  if (!row) return undefined;
  const entry = row as unknown as Omit<WholeEntry, 'deleted'> & { deleted: number };
  return { ...entry, token, ...(chat !== undefined && { chat }), deleted: entry.deleted === 1 };
}

export function changedMessageIn(database: Database, { token, chat, number }: MessageKey): ChangedMessage | undefined {
  const row = database
    .prepare(`SELECT ${asReal('revision')}, deleted FROM changed_messages WHERE token = ? AND chat = ? AND number = ?`)
    .get(token, chat, number) as { revision: number; deleted: number } | undefined;
  return row && { token, chat, number, revision: row.revision, deleted: row.deleted === 1 };
}

export async function* deletedMessagesIn(
  database: Database,
  { token, chat }: ChatKey,
  limit: number,
): AsyncGenerator<number[]> {
  const some = database.prepare(
    `SELECT number FROM changed_messages
     WHERE token = ? AND chat = ? AND deleted = 1 AND number > ? ORDER BY number LIMIT ?`,
  );
  const numbersAfter = (after: number) => some.all(token, chat, after, limit).map((row) => row.number as number);
  let numbers = numbersAfter(0);
  for (let last = numbers.at(-1); last; last = numbers.at(-1)) {
    yield numbers;
    numbers = numbersAfter(last);
  }
}

/**
 * Restores an entry. Call it within a transaction.
 *
 * @param now in milliseconds since 1970
 */
export function restoreEntry(database: Database, entry: WholeEntry, now: number): void {
  const { token, chat, name, metadata, revision, deleted, createdAt, updatedAt, highest } = entry;
  // If the entry exists, the columns in `insertOnly` keep their values. A deleted entry has no name: NULL in a chat, and
  // '' in an application, whose column must not be NULL.
  const [table, counter, insertOnly, content, blank] =
    chat === undefined
      ? ['applications', 'chats', { token, access_generation: now }, { name: name ?? '' }, "''"]
      : ['chats', 'messages', { token, number: chat }, { name, metadata }, 'NULL'];
  const columns = [
    ...Object.keys(insertOnly),
    ...Object.keys(content),
    ...['revision', counter, 'deleted', 'created_at', 'updated_at'],
  ];
  const merged = Object.keys(content).map(
    (column) => `${column} = CASE WHEN max(deleted, excluded.deleted) THEN ${blank}
           WHEN excluded.revision > revision THEN excluded.${column} ELSE ${column} END`,
  );
  database
    .prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
       ON CONFLICT DO UPDATE SET
         ${merged.join(', ')},
         updated_at = iif(excluded.revision > revision, excluded.updated_at, updated_at),
         revision = max(revision, excluded.revision),
         ${counter} = max(${counter}, excluded.${counter}),
         deleted = max(deleted, excluded.deleted)`,
    )
    .run(
      ...Object.values(insertOnly),
      ...Object.values(content),
      revision,
      highest,
      Number(deleted),
      createdAt,
      updatedAt,
    );
}

/** Restores a changed message. Call it within a transaction. */
export function restoreChangedMessage(database: Database, message: ChangedMessage): void {
  const { token, chat, number, revision, deleted } = message;
  database
    .prepare(
      `INSERT INTO changed_messages (token, chat, number, revision, deleted) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET revision = max(revision, excluded.revision), deleted = max(deleted, excluded.deleted)`,
    )
    .run(token, chat, number, revision, Number(deleted));
}
