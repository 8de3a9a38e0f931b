import * as z from 'zod';

/** The version of the record format. A worker puts a record of another version aside instead of guessing. */
const version = 1;

const token = z.string().min(1);
const number = z.int().min(1);
const revision = z.int().min(0);
/** When the write was accepted, in milliseconds since 1970. */
const at = z.int().min(0);

/**
 * One accepted write, as the ledger hands it to the store. Revision 0 creates, a higher one edits. A deletion has no
 * revision, it beats all; the deepest number it has says what is deleted.
 */
const write = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('application'), token, revision, at, name: z.string() }),
  z.object({ kind: z.literal('chat'), token, chat: number, revision, at, name: z.string().nullable() }),
  z.object({ kind: z.literal('message'), token, chat: number, number, revision, at, body: z.string() }),
  z.object({ kind: z.literal('deletion'), token, chat: number.optional(), number: number.optional(), at }),
]);
export type Write = z.output<typeof write>;

/** What a write is about: an application, a chat of it, or a message of that. */
export const targetOf = (write: Write): { token: string; chat?: number | undefined; number?: number | undefined } =>
  write;

/** What the store queue carries: the writes of one request. */
const writesRecord = z.object({ version: z.literal(version), writes: z.array(write).min(1) });

/** Names one message. */
const messageKey = z.object({ token, chat: number, number });
export type MessageKey = z.output<typeof messageKey>;

/** What the search queue carries: which messages changed in the store, and are to be read there. */
const changesRecord = z.object({ version: z.literal(version), messages: z.array(messageKey).min(1) });

export const encodeWrites = (writes: Write[]): string => JSON.stringify({ version, writes });
export const encodeChanges = (messages: MessageKey[]): string => JSON.stringify({ version, messages });

/** A record that can't be understood; its message is the reason, fit for a dead letter. */
export class MalformedRecord extends Error {}

const decode = <Record>(schema: z.ZodType<Record>, body: string): Record => {
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
