import type { MessageKey, Origin, Write } from './decode-records.ts';

export type { MessageKey, Origin, Write };

/** The version of the record format. A worker puts a record of another version aside instead of guessing. */
export const version = 1;

/** What a write is about: an application, a chat of it, or a message of that. */
export const targetOf = (write: Write): { token: string; chat?: number | undefined; number?: number | undefined } =>
  write;

/** @param requests the ids of the requests that the writes are from; none where no client asked for them */
export const encodeWrites = (writes: Write[], requests: string[] = []): string =>
  JSON.stringify({ version, ...(requests.length > 0 && { requests }), writes });

/** @param origin what the writes came from that changed the messages */
export const encodeChanges = (messages: MessageKey[], { requests, at }: Origin = { requests: [] }): string =>
  JSON.stringify({ version, ...(requests.length > 0 && { requests, at }), messages });
