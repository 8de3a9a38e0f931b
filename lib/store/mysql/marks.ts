import { randomInt } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { targetOf } from '../../model/write.ts';
import type { Schema } from '../sql/schema.ts';
import { byKey } from './keys.ts';
import { allWrites, type Batch } from './siblings.ts';

type Db = Transaction<Schema>;
type Key = Pick<Schema['rollup_marks'], 'token' | 'chat'>;

/**
 * Marks what must be counted. This comes late in the transaction, because concurrent batches of one chat lock the same
 * mark and should hold it only briefly.
 */
export async function mark(db: Db, { applications, chats, messages }: Batch): Promise<void> {
  const marks = new Map<string, Key>();
  const add = ({ token, chat }: Key) => marks.set(`${token}/${chat}`, { token, chat });
  for (const siblings of [...applications, ...chats, ...messages]) add(siblings);
  // Messages of a new chat may have arrived before it. When they were counted, the chat had no row to hold the count.
  for (const write of allWrites(chats)) if (write.kind === 'chat') add(write);
  if (marks.size === 0) return;
  const rows = [...marks.values()].sort(byKey).map((each) => ({ ...each, version: randomInt(2 ** 47) }));
  await db.insertInto('rollup_marks').values(rows).onDuplicateKeyUpdate({ version: sql`VALUES(version)` }).execute();
}

/** Schedules a purge of each deleted application and chat. */
export async function schedulePurges(db: Db, { applications, chats }: Batch): Promise<void> {
  const rows = allWrites([...applications, ...chats])
    .filter(({ kind }) => kind === 'deletion')
    .map((write) => ({ token: write.token, chat: targetOf(write).chat ?? 0, due_at: write.at, pass: 1 }));
  if (rows.length > 0) await db.insertInto('purges').ignore().values(rows.sort(byKey)).execute();
}
