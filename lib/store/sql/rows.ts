import type { Selectable } from 'kysely';
import { contentNames, contentOf, memberRecord, revisionName } from '../../model/content.ts';
import type { Parent } from '../../model/keys.ts';
import type { MergedMessage } from '../merging.ts';
import type { StoredApplication, StoredChat, StoredMessage } from '../reads.ts';
import type { Schema } from './schema.ts';

// Rows as the interfaces of the store return them.

export const parentOf = ({ token, chat }: { token: string; chat: number }): Parent =>
  chat === 0 ? { token } : { token, chat };

const times = (row: { created_at: number | null; updated_at: number }) => {
  const createdAt = row.created_at as number;
  // The clocks of two machines may differ, but a client must not see an edit before the creation.
  return { createdAt, updatedAt: Math.max(createdAt, row.updated_at) };
};
export const application = (row: Selectable<Schema['applications']>): StoredApplication => ({
  token: row.token,
  name: row.name,
  chatsCount: row.chats_count,
  ...times(row),
});
export const chat = (row: Omit<Selectable<Schema['chats']>, 'token'>): StoredChat => ({
  number: row.number,
  name: row.name,
  metadata: row.metadata,
  messagesCount: row.messages_count,
  ...times(row),
});
/** The columns that {@link message} reads. */
export const messageColumns = ['number', ...contentNames, 'created_at', 'updated_at'] as const;
/** Names each time instead of spreading `times`, because spreading took a third of the time for a row. */
export const message = (row: Pick<Schema['messages'], (typeof messageColumns)[number]>): StoredMessage => {
  const { createdAt, updatedAt } = times(row);
  return { number: row.number, content: contentOf(row), createdAt, updatedAt };
};

export const mergedMessage = (row: Schema['messages']): MergedMessage => ({
  token: row.token,
  chat: row.chat,
  number: row.number,
  content: contentOf(row),
  revisions: memberRecord((member) => row[revisionName(member)]),
  deleted: row.deleted === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
