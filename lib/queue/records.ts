import type { MessageKey, Write } from './decode-records.ts';

export type { MessageKey, Write };

/** The version of the record format. A worker puts a record of another version aside instead of guessing. */
export const version = 1;

/** What a write is about: an application, a chat of it, or a message of that. */
export const targetOf = (write: Write): { token: string; chat?: number | undefined; number?: number | undefined } =>
  write;

export const encodeWrites = (writes: Write[]): string => JSON.stringify({ version, writes });
export const encodeChanges = (messages: MessageKey[]): string => JSON.stringify({ version, messages });
