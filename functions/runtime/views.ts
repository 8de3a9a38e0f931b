import type { StoredApplication, StoredChat, StoredMessage } from '../../lib/store/store.ts';

/** Milliseconds since 1970 as the contract writes them: `2026-11-21T09:30:00.123Z`. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString();

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
