import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import { requestIdLength } from '../model/request-id.ts';
import { version } from './records.ts';

// Apart from how records are made: who only sends has no use for the schemas, and would make them at each start.

const token = z.string().check(z.minLength(1));
const number = z.int().check(z.minimum(1), z.maximum(limits.highestNumber));
const revision = z.int().check(z.minimum(0), z.maximum(limits.highestRevision));
/** When the write was accepted, in milliseconds since 1970. */
const at = z.int().check(z.minimum(0), z.maximum(limits.latestTime));

/**
 * One accepted write, as the ledger hands it to the store. Revision 0 creates, a higher one edits. A deletion has no
 * revision, it beats all; the deepest number it has says what is deleted.
 */
const write = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('application'), token, revision, at, name: z.string() }),
  z.object({ kind: z.literal('chat'), token, chat: number, revision, at, name: z.nullable(z.string()) }),
  z.object({ kind: z.literal('message'), token, chat: number, number, revision, at, body: z.string() }),
  z.object({ kind: z.literal('deletion'), token, chat: z.optional(number), number: z.optional(number), at }),
]);
export type Write = z.output<typeof write>;

/**
 * The ids of the requests that a record comes from, by which they are found in the logs; nothing else depends on them. What
 * is not understood is left out: records of versions before have none, and no write is lost for the want of an id. (By
 * hand: a schema that catches what is wrong takes a quarter of the time that a record of one write does.)
 */
const requestsIn = (value: unknown): string[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && id.length <= requestIdLength) ? value : [];

/** What the store queue carries: the writes of one request or, in the embedded engine, of one group commit. */
const writesRecord = z.object({
  version: z.literal(version),
  requests: z.optional(z.unknown()),
  writes: z.array(write).check(z.minLength(1)),
});
export interface WritesRecord {
  requests: string[];
  writes: Write[];
}

/** Names one message. */
const messageKey = z.object({ token, chat: number, number });
export type MessageKey = z.output<typeof messageKey>;

/** What the search queue carries: which messages changed in the store, and are to be read there. */
const changesRecord = z.object({
  version: z.literal(version),
  requests: z.optional(z.unknown()),
  at: z.catch(z.optional(at), undefined),
  messages: z.array(messageKey).check(z.minLength(1)),
});

/** What writes came from: requests, and when the oldest write of these was accepted. */
export interface Origin {
  requests: string[];
  at?: number | undefined;
}
export interface ChangesRecord extends Origin {
  messages: MessageKey[];
}

/** A record that can't be understood; its message is the reason, fit for a dead letter. */
export class MalformedRecord extends Error {}

const decode = <Record>(schema: z.ZodMiniType<Record>, body: string): Record => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new MalformedRecord('not JSON');
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MalformedRecord(`${issue?.path.join('.') || 'record'}: ${issue?.message}`);
};

/** @throws MalformedRecord */
export function decodeWritesRecord(body: string): WritesRecord {
  const { requests, writes } = decode(writesRecord, body);
  return { requests: requestsIn(requests), writes };
}

/** @throws MalformedRecord */
export function decodeChangesRecord(body: string): ChangesRecord {
  const { requests, at, messages } = decode(changesRecord, body);
  return { requests: requestsIn(requests), at, messages };
}

/** @throws MalformedRecord */
export const decodeWrites = (body: string): Write[] => decodeWritesRecord(body).writes;
/** @throws MalformedRecord */
export const decodeChanges = (body: string): MessageKey[] => decodeChangesRecord(body).messages;
