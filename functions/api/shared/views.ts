import type { Holder } from '../../../lib/model/holder.ts';
import { parsedMetadata } from '../../../lib/model/metadata.ts';
import type { ChatState } from '../../../lib/store/changes.ts';
import type { StoredApplication, StoredChat, StoredMessage } from '../../../lib/store/reads.ts';

/** The last formatted time. It is often needed again: a new resource has the same time twice. */
let latest = { milliseconds: 0, text: new Date(0).toISOString() };
/** The day of the last formatted time, with its beginning in milliseconds: `2026-11-21T`. Most lists have few days. */
let latestDay = { begin: 0, text: '1970-01-01T' };

const dayMs = 24 * 60 * 60 * 1_000;
const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

/**
 * Formats milliseconds since 1970 as the contract requires: `2026-11-21T09:30:00.123Z`. Formatting with a `Date` takes
 * 1 µs. For a page of messages, that would be a sixth of the processor time.
 */
export function timestamp(milliseconds: number): string {
  if (milliseconds !== latest.milliseconds) latest = { milliseconds, text: formatted(milliseconds) };
  return latest.text;
}

function formatted(milliseconds: number): string {
  let within = milliseconds - latestDay.begin;
  if (!(within >= 0 && within < dayMs)) {
    const text = new Date(milliseconds).toISOString().slice(0, 11);
    latestDay = { begin: Date.parse(`${text}00:00Z`), text };
    within = milliseconds - latestDay.begin;
  }
  const seconds = Math.floor(within / 1_000);
  const minutes = Math.floor(seconds / 60);
  const [hour, minute, second] = [Math.floor(minutes / 60), minutes % 60, seconds % 60];
  const fraction = String(1_000 + (within % 1_000)).slice(1);
  return `${latestDay.text}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[second]}.${fraction}Z`;
}

interface Times {
  createdAt: number;
  updatedAt: number;
}

/** Formats `updated_at`. It never precedes `created_at`, although clocks are set back and differ between machines. */
const updatedTimestamp = ({ createdAt, updatedAt }: Times): string => timestamp(Math.max(createdAt, updatedAt));

/** Returns the two times of a resource. */
export const timesView = (times: Times) => ({
  created_at: timestamp(times.createdAt),
  updated_at: updatedTimestamp(times),
});

export const applicationView = ({ token, name, chatsCount, ...times }: StoredApplication) => ({
  token,
  name,
  chats_count: chatsCount,
  ...timesView(times),
});

/** Returns an application as the holder of an access token sees it. */
export const applicationViewForHolder = (application: StoredApplication, { chats }: Holder) => {
  const { token: _token, chats_count, ...rest } = applicationView(application);
  return { ...rest, ...(chats === null && { chats_count }) };
};

export const chatView = ({ messagesCount, ...state }: StoredChat) => {
  const { number, name, metadata, ...times } = chatStateView(state);
  return { number, name, metadata, messages_count: messagesCount, ...times };
};

/** Returns a chat without its count. */
export const chatStateView = ({ number, name, metadata, ...times }: ChatState) => ({
  number,
  name,
  metadata: parsedMetadata(metadata),
  ...timesView(times),
});

/**
 * Returns a message as clients see it. It does not use {@link timesView}, because collecting and spreading the times
 * allocated 200 bytes more per message, a tenth of all that accepting a batch allocates.
 */
export const messageView = (message: StoredMessage) => ({
  number: message.number,
  sender: message.content.sender,
  body: message.content.body,
  metadata: parsedMetadata(message.content.metadata),
  created_at: timestamp(message.createdAt),
  updated_at: updatedTimestamp(message),
});
