import { randomInt } from 'node:crypto';
import { Kysely, MysqlDialect, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { createPool } from 'mysql2';
import { targetOf, type Write } from '../queue/records.ts';
import { mysqlMigrations } from './mysql-schema.ts';
import { type Schema, SqlStore } from './sql.ts';
import { UnstorableWrite } from './store.ts';

/** Times in milliseconds. A function has 29 s to answer, so each of these leaves room for another try. */
const connectMs = 5_000;
const lockWaitSeconds = 10;

/** Deadlocks are InnoDB's normal answer to two batches that meet; the one that was chosen tries again. */
const transactionTries = 5;

/** Error numbers of the server (https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html). */
const deadlocks = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);
const dataErrors = new Set([
  'ER_DATA_TOO_LONG',
  'ER_WARN_DATA_OUT_OF_RANGE',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_TRUNCATED_WRONG_VALUE',
  'ER_BAD_NULL_ERROR',
  'ER_INVALID_CHARACTER_STRING',
]);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** What a session must be, whatever the server's defaults are. */
const session = [
  `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
   innodb_lock_wait_timeout = ${lockWaitSeconds}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

/**
 * Opens a pool of connections to MySQL or MariaDB. A connection is made at its first use, so this never fails.
 *
 * @param url `mysql://user@host:port/database`, with `:password` after the user unless it is given apart
 * @param connections at most so many at a time
 * @param password asked for once, at the first use; asked again when that failed
 */
export function openMysql(url: string, connections: number, password?: () => Promise<string>): Kysely<Schema> {
  const pool = async () => {
    const made = createPool({
      uri: url,
      ...(password && { password: await password() }),
      connectionLimit: connections,
      connectTimeout: connectMs,
      charset: 'utf8mb4_bin',
      supportBigNumbers: true,
      enableKeepAlive: true,
    });
    made.on('connection', (connection) => {
      for (const statement of session) connection.query(statement);
    });
    return made;
  };
  return new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) });
}

/** Brings the tables up to date; several at once wait for each other. */
export async function migrateMysql(db: Kysely<Schema>): Promise<void> {
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => mysqlMigrations },
  }).migrateToLatest();
  if (error) throw error;
}

/** The store in MySQL or MariaDB. */
export class MysqlStore extends SqlStore {
  async merge(writes: Write[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.db.transaction().execute((transaction) => mergeAll(transaction, writes));
      } catch (error) {
        if (dataErrors.has(codeOf(error))) throw new UnstorableWrite(codeOf(error), { cause: error });
        if (!deadlocks.has(codeOf(error)) || attempt === transactionTries) throw error;
      }
    }
  }
}

type Db = Transaction<Schema>;
type Mark = Pick<Schema['rollup_marks'], 'token' | 'chat'>;

/** Each statement's rows are sorted by key, so that batches that meet lock what they share in the same order. */
async function mergeAll(db: Db, writes: Write[]): Promise<void> {
  const ofDepth = (depth: number) => writes.filter((write) => depthOf(write) === depth);
  // What is above comes first, so that nothing is stored below something that this very batch deletes.
  await mergeApplications(db, ofDepth(0));
  const belowApplications = await withoutDeletedApplications(db, [...ofDepth(1), ...ofDepth(2)]);
  const chats = belowApplications.filter((write) => depthOf(write) === 1);
  await mergeChats(db, chats);
  const messages = await withoutDeletedChats(
    db,
    belowApplications.filter((write) => depthOf(write) === 2),
  );
  await mergeMessages(db, messages);
  await mark(db, [...ofDepth(0), ...chats, ...messages]);
  await schedulePurges(db, [...ofDepth(0), ...chats]);
}

const depthOf = (write: Write): number => {
  const { chat, number } = targetOf(write);
  return Number(chat !== undefined) + Number(number !== undefined);
};

const merged = (write: Write) => ({
  revision: 'revision' in write ? write.revision : 0,
  deleted: Number(write.kind === 'deletion'),
  created_at: 'revision' in write && write.revision === 0 ? write.at : null,
  updated_at: write.at,
});

/**
 * A row that came first is completed by its creation; a higher revision replaces it; a deletion ends it. MySQL assigns
 * from left to right and later ones see what was assigned, so `deleted` and `revision` come last.
 */
const merging = (content: 'name' | 'body', whenDeleted: string | null) => ({
  created_at: sql<number>`COALESCE(created_at, VALUES(created_at))`,
  [content]: sql<string>`IF(deleted OR VALUES(deleted), ${whenDeleted},
    IF(VALUES(revision) > revision, VALUES(${sql.ref(content)}), ${sql.ref(content)}))`,
  updated_at: sql<number>`IF(deleted = 0 AND VALUES(revision) > revision, VALUES(updated_at), updated_at)`,
  deleted: sql<number>`GREATEST(deleted, VALUES(deleted))`,
  revision: sql<number>`GREATEST(revision, VALUES(revision))`,
});

async function mergeApplications(db: Db, writes: Write[]): Promise<void> {
  const rows = writes.map((write) => ({
    token: write.token,
    name: write.kind === 'application' ? write.name : '',
    ...merged(write),
  }));
  if (rows.length > 0)
    await db.insertInto('applications').values(rows.sort(byKey)).onDuplicateKeyUpdate(merging('name', '')).execute();
}

async function mergeChats(db: Db, writes: Write[]): Promise<void> {
  const rows = writes.map((write) => ({
    token: write.token,
    number: targetOf(write).chat as number,
    name: write.kind === 'chat' ? write.name : null,
    ...merged(write),
  }));
  if (rows.length > 0)
    await db.insertInto('chats').values(rows.sort(byKey)).onDuplicateKeyUpdate(merging('name', null)).execute();
}

async function mergeMessages(db: Db, writes: Write[]): Promise<void> {
  const rows = writes.map((write) => {
    const { token, chat, number } = targetOf(write) as { token: string; chat: number; number: number };
    return { token, chat, number, body: write.kind === 'message' ? write.body : '', ...merged(write) };
  });
  if (rows.length > 0)
    await db.insertInto('messages').values(rows.sort(byKey)).onDuplicateKeyUpdate(merging('body', '')).execute();
}

interface Key {
  token: string;
  chat?: number;
  number?: number;
}
const byKey = (a: Key, b: Key): number =>
  (a.token < b.token ? -1 : Number(a.token > b.token)) ||
  (a.chat ?? 0) - (b.chat ?? 0) ||
  (a.number ?? 0) - (b.number ?? 0);

async function withoutDeletedApplications(db: Db, writes: Write[]): Promise<Write[]> {
  if (writes.length === 0) return writes;
  const tokens = [...new Set(writes.map(({ token }) => token))];
  const rows = await db
    .selectFrom('applications')
    .select('token')
    .where('token', 'in', tokens)
    .where('deleted', '=', 1)
    .execute();
  const deleted = new Set(rows.map(({ token }) => token));
  return writes.filter(({ token }) => !deleted.has(token));
}

async function withoutDeletedChats(db: Db, writes: Write[]): Promise<Write[]> {
  if (writes.length === 0) return writes;
  const chatOf = (write: Write) => `${write.token}/${targetOf(write).chat}`;
  const chats = [...new Map(writes.map((write) => [chatOf(write), write])).values()];
  const rows = await db
    .selectFrom('chats')
    .select(['token', 'number'])
    .where((row) =>
      row(
        row.refTuple('token', 'number'),
        'in',
        chats.map((write) => row.tuple(write.token, targetOf(write).chat as number)),
      ),
    )
    .where('deleted', '=', 1)
    .execute();
  const deleted = new Set(rows.map(({ token, number }) => `${token}/${number}`));
  return writes.filter((write) => !deleted.has(chatOf(write)));
}

/** Marks what is to be counted, last of all: concurrent batches of one chat meet here, and only briefly. */
async function mark(db: Db, writes: Write[]): Promise<void> {
  const marks = new Map<string, Mark>();
  const add = (token: string, chat: number) => marks.set(`${token}/${chat}`, { token, chat });
  for (const write of writes) {
    const { token, chat, number } = targetOf(write);
    // A message changes its chat's count, a chat its application's.
    add(token, number === undefined ? 0 : (chat as number));
    // What is below a new chat may have come first, and been counted when there was no row to keep the count.
    if (write.kind === 'chat') add(token, write.chat);
  }
  if (marks.size === 0) return;
  const rows = [...marks.values()].sort(byKey).map((each) => ({ ...each, version: randomInt(2 ** 47) }));
  await db.insertInto('rollup_marks').values(rows).onDuplicateKeyUpdate({ version: sql`VALUES(version)` }).execute();
}

async function schedulePurges(db: Db, writes: Write[]): Promise<void> {
  const rows = writes
    .filter(({ kind }) => kind === 'deletion')
    .map((write) => ({ token: write.token, chat: targetOf(write).chat ?? 0, due_at: write.at, pass: 1 }));
  if (rows.length > 0) await db.insertInto('purges').ignore().values(rows.sort(byKey)).execute();
}
