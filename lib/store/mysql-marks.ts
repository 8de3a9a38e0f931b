import { randomInt } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { targetOf, type Write } from '../queue/records.ts';
import { byKey } from './mysql-keys.ts';
import type { Schema } from './sql.ts';

type Db = Transaction<Schema>;
type Mark = Pick<Schema['rollup_marks'], 'token' | 'chat'>;

/** Marks what is to be counted, last of all: concurrent batches of one chat meet here, and only briefly. */
export async function mark(db: Db, writes: Write[]): Promise<void> {
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

/** Notes what was deleted, for the purge. */
export async function schedulePurges(db: Db, writes: Write[]): Promise<void> {
  const rows = writes
    .filter(({ kind }) => kind === 'deletion')
    .map((write) => ({ token: write.token, chat: targetOf(write).chat ?? 0, due_at: write.at, pass: 1 }));
  if (rows.length > 0) await db.insertInto('purges').ignore().values(rows.sort(byKey)).execute();
}
