import type { StoredApplication, StoredChat, StoredMessage } from '../../../lib/store/store.ts';

/** The time that was written last: what was just created has it twice, and so have others of the same moment. */
let latest = { milliseconds: 0, text: new Date(0).toISOString() };

/** Milliseconds since 1970 as the contract writes them: `2026-11-21T09:30:00.123Z`. */
export function timestamp(milliseconds: number): string {
  if (milliseconds !== latest.milliseconds) latest = { milliseconds, text: new Date(milliseconds).toISOString() };
  return latest.text;
}

/** The two times of an answer. Clocks are set back and differ between machines, but a change never precedes the creation. */
export const timesView = ({ createdAt, updatedAt }: { createdAt: number; updatedAt: number }) => ({
  created_at: timestamp(createdAt),
  updated_at: timestamp(Math.max(createdAt, updatedAt)),
});

export const applicationView = ({ token, name, chatsCount, ...times }: StoredApplication) => ({
  token,
  name,
  chats_count: chatsCount,
  ...timesView(times),
});

export const chatView = ({ number, name, messagesCount, ...times }: StoredChat) => ({
  number,
  name,
  messages_count: messagesCount,
  ...timesView(times),
});

export const messageView = ({ number, body, ...times }: StoredMessage) => ({ number, body, ...timesView(times) });
