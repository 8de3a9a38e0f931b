import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import type { MessageKey } from '../model/keys.ts';
import { requestIdLength } from '../model/request-id.ts';
import type { Write } from '../model/write.ts';
import { once } from '../once.ts';

/** The version of the record format. A worker buries a record of another version instead of guessing. */
const version = 1;

/** Where writes come from: the ids of their requests, and when the oldest of these writes was accepted. */
export interface Origin {
  requests: string[];
  at?: number | undefined;
}

/** What the store queue carries: the writes of one request or, in the embedded engine, of one group commit. */
export interface WritesRecord {
  requests: string[];
  writes: Write[];
}

/** What the search queue carries: which messages changed in the store. The search worker reads them there. */
export interface ChangesRecord extends Origin {
  messages: MessageKey[];
}

/** A record that cannot be understood. The message is the reason that the dead letter keeps. */
export class MalformedRecord extends Error {}

/** @param requests ids of the requests that made the writes; none where no client asked for them */
export const encodeWrites = (writes: Write[], requests: string[] = []): string =>
  JSON.stringify({ version, ...(requests.length > 0 && { requests }), writes });

/** @param origin the writes that changed the messages */
export const encodeChanges = (messages: MessageKey[], { requests, at }: Origin = { requests: [] }): string =>
  JSON.stringify({ version, ...(requests.length > 0 && { requests, at }), messages });

/**
 * JSON in ASCII: SQS refuses some characters (U+FFFE, U+FFFF and most controls), and JSON can escape them all. Bodies
 * are JSON, so the text they mean stays the same.
 */
export const asciiJson = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @throws MalformedRecord */
export function decodeWritesRecord(body: string): WritesRecord {
  const { requests, writes } = decode(schemas().writesRecord, body);
  return { requests: requestsIn(requests), writes };
}

/** @throws MalformedRecord */
export function decodeChangesRecord(body: string): ChangesRecord {
  const { requests, at, messages } = decode(schemas().changesRecord, body);
  return { requests: requestsIn(requests), at, messages };
}

/** @throws MalformedRecord */
export const decodeWrites = (body: string): Write[] => decodeWritesRecord(body).writes;
/** @throws MalformedRecord */
export const decodeChanges = (body: string): MessageKey[] => decodeChangesRecord(body).messages;

// Functions that only send never build the schemas.
const schemas = once(() => {
  const token = z.string().check(z.minLength(1));
  const number = z.int().check(z.minimum(1), z.maximum(limits.highestNumber));
  const revision = z.int().check(z.minimum(0), z.maximum(limits.highestRevision));
  const at = z.int().check(z.minimum(0), z.maximum(limits.latestTime));
  const write: z.ZodMiniType<Write> = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('application'), token, revision, at, name: z.string() }),
    z.object({ kind: z.literal('chat'), token, chat: number, revision, at, name: z.nullable(z.string()) }),
    z.object({ kind: z.literal('message'), token, chat: number, number, revision, at, body: z.string() }),
    z.object({ kind: z.literal('deletion'), token, chat: z.optional(number), number: z.optional(number), at }),
  ]);
  const messageKey: z.ZodMiniType<MessageKey> = z.object({ token, chat: number, number });
  return {
    writesRecord: z.object({
      version: z.literal(version),
      requests: z.optional(z.unknown()),
      writes: z.array(write).check(z.minLength(1)),
    }),
    changesRecord: z.object({
      version: z.literal(version),
      requests: z.optional(z.unknown()),
      at: z.catch(z.optional(at), undefined),
      messages: z.array(messageKey).check(z.minLength(1)),
    }),
  };
});

/**
 * The request ids of a record, by which it is found in the logs. Nothing else depends on them, so no write is lost for
 * ids that are missing or malformed. Checked by hand: a zod schema that catches its error took a quarter of the time of
 * decoding a record with one write.
 */
const requestsIn = (value: unknown): string[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && id.length <= requestIdLength) ? value : [];

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
