import * as z from 'zod/mini';
import { version } from './records.ts';

// Apart from how records are made: who only sends has no use for the schemas, and would make them at each start.

const token = z.string().check(z.minLength(1));
const number = z.int().check(z.minimum(1));
const revision = z.int().check(z.minimum(0));
/** When the write was accepted, in milliseconds since 1970. */
const at = z.int().check(z.minimum(0));

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

/** What the store queue carries: the writes of one request or, in the embedded engine, of one group commit. */
const writesRecord = z.object({ version: z.literal(version), writes: z.array(write).check(z.minLength(1)) });

/** Names one message. */
const messageKey = z.object({ token, chat: number, number });
export type MessageKey = z.output<typeof messageKey>;

/** What the search queue carries: which messages changed in the store, and are to be read there. */
const changesRecord = z.object({ version: z.literal(version), messages: z.array(messageKey).check(z.minLength(1)) });

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
export const decodeWrites = (body: string): Write[] => decode(writesRecord, body).writes;
/** @throws MalformedRecord */
export const decodeChanges = (body: string): MessageKey[] => decode(changesRecord, body).messages;
