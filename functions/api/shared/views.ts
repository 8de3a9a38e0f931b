import type { StoredApplication, StoredChat, StoredMessage } from '../../../lib/store/reads.ts';

/** The last formatted time. It is often needed again: a new resource has the same time twice. */
let latest = { milliseconds: 0, text: new Date(0).toISOString() };

/** Formats milliseconds since 1970 as the contract requires: `2026-11-21T09:30:00.123Z`. */
export function timestamp(milliseconds: number): string {
  if (milliseconds !== latest.milliseconds) latest = { milliseconds, text: new Date(milliseconds).toISOString() };
  return latest.text;
}

/**
 * Returns the two times of a resource. `updated_at` never precedes `created_at`, although clocks are set back and
 * differ between machines.
 */
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

export const messageView = ({ number, content, ...times }: StoredMessage) => ({
  number,
  ...content,
  ...timesView(times),
});
