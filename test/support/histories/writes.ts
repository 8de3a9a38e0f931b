import {
  blankContent,
  type ChatChange,
  type ChatContent,
  type ContentChange,
  type MessageContent,
} from '../../../lib/model/content.ts';
import type { Write } from '../../../lib/model/write.ts';
import type { SearchDocument } from '../../../lib/search/search-index.ts';

// Writes as the ledger queues them. A test gives the relevant values, and the others are derived. Two writes with the
// same target and revision are identical, as in reality.

interface Facts {
  revision?: number;
  at?: number;
}

export const applicationWrite = (
  token: string,
  { revision = 0, at = 1_000 + revision, name = `application, revision ${revision}` }: Facts & { name?: string } = {},
): Write => ({ kind: 'application', token, revision, at, name });

export const chatWrite = (
  token: string,
  chat: number,
  {
    revision = 0,
    at = 2_000 + chat * 10 + revision,
    name = `chat ${chat}, revision ${revision}`,
    ...more
  }: Facts & ChatChange = {},
): Write => ({ kind: 'chat', token, chat, revision, at, name, ...(revision === 0 && { metadata: null }), ...more });

export const messageWrite = (
  token: string,
  chat: number,
  number: number,
  {
    revision = 0,
    at = 3_000 + number * 10 + revision,
    body = `message ${chat}/${number}, revision ${revision}`,
    ...more
  }: Facts & ContentChange = {},
): Write => ({
  kind: 'message',
  token,
  chat,
  number,
  revision,
  at,
  content: { ...(revision === 0 && blankContent), body, ...more },
});

/** Returns the content of a chat with this name. */
export const chatNamed = (name: string | null): ChatContent => ({ name, metadata: null });

/** Returns contents with these bodies. */
export const contents = (bodies: string[]): MessageContent[] => bodies.map((body) => ({ ...blankContent, body }));

/** Returns the indexed form of a message with this body; null is a tombstone. */
export const indexed = (body: string | null, revision = 0): Pick<SearchDocument, 'content' | 'revisions'> => ({
  content: body === null ? null : { ...blankContent, body },
  revisions: { body: revision, metadata: 0 },
});

/** Returns the deletion of an application, a chat or a message, depending on the given numbers. */
export const deletionWrite = (token: string, chat?: number, number?: number, at = 9_000): Write => ({
  kind: 'deletion',
  token,
  ...(chat !== undefined && { chat }),
  ...(number !== undefined && { number }),
  at,
});

/** Returns the creations of messages `first` to `last`. */
export const messageWrites = (token: string, chat: number, first: number, last: number): Write[] =>
  numbers(first, last).map((number) => messageWrite(token, chat, number));

/** Returns the whole numbers from `first` to `last`, both inclusive. */
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
