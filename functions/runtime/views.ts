import type { StoredApplication, StoredChat, StoredMessage } from '../../lib/store/store.ts';

/** The time that was written last: what was just created has it twice, and so have others of the same moment. */
let latest = { milliseconds: 0, text: new Date(0).toISOString() };

/** Milliseconds since 1970 as the contract writes them: `2026-11-21T09:30:00.123Z`. */
export function timestamp(milliseconds: number): string {
  if (milliseconds !== latest.milliseconds) latest = { milliseconds, text: new Date(milliseconds).toISOString() };
  return latest.text;
}

export const applicationView = ({ token, name, chatsCount, createdAt, updatedAt }: StoredApplication) => ({
  token,
  name,
  chats_count: chatsCount,
  created_at: timestamp(createdAt),
  updated_at: timestamp(updatedAt),
});

export const chatView = ({ number, name, messagesCount, createdAt, updatedAt }: StoredChat) => ({
  number,
  name,
  messages_count: messagesCount,
  created_at: timestamp(createdAt),
  updated_at: timestamp(updatedAt),
});

export const messageView = ({ number, body, createdAt, updatedAt }: StoredMessage) => ({
  number,
  body,
  created_at: timestamp(createdAt),
  updated_at: timestamp(updatedAt),
});
