import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import type { ContentChange } from '../model/content.ts';
import type { MessageKey, Parent } from '../model/keys.ts';
import { requestIdLength } from '../model/request-id.ts';
import type { Write } from '../model/write.ts';
import { once } from '../once.ts';

// The format of queue records. Each kind of write has its own mapping to JSON and back, so the format does not follow
// the types in memory. During a deployment, workers of two versions read the same queue:
//
// - Adding an optional member does not raise the version. The member is left out when it is blank, so earlier workers
//   can still read most records. A worker that meets an unknown member or kind retries the record until the worker is
//   replaced.
// - Any other change raises the version. A worker retries records of an unknown version.

/** The version of the record format. */
const version = 1;

/** Where writes come from: the ids of their requests, and when the oldest of these writes was accepted. */
export interface Provenance {
  requests: string[];
  at?: number | undefined;
}

/** What the store queue carries: the writes of one request or, in the embedded engine, of one group commit. */
export interface WritesRecord {
  requests: string[];
  writes: Write[];
}

/** What the search queue carries: which messages changed in the store. The search worker reads them there. */
export interface ChangesRecord extends Provenance {
  messages: MessageKey[];
}

/** A step of the feed: what its followers get of one version of a chat or, without `chat`, of an application. */
export interface EncodedStep extends Parent {
  version: number;
  /** The event as followers receive it, as JSON. */
  event: string;
}

/** What the feed queue carries. Its worker publishes them as they are, because it cannot reach SQL. */
export interface StepsRecord extends Provenance {
  steps: EncodedStep[];
}

/** A record that this version cannot read. The message says why, and quotes nothing of the content. */
export class UnreadableRecord extends Error {}

/**
 * No version can read the record: it is not JSON, or a value has a wrong type. The record becomes a dead letter, and
 * the error's message is its reason.
 */
export class MalformedRecord extends UnreadableRecord {}

/**
 * The record has a format version, kind or member that this version does not know, so a newer version wrote it. Retry
 * it.
 */
export class UnknownRecord extends UnreadableRecord {}

/** @param requests ids of the requests that made the writes; none if no client's request made them */
export const encodeWrites = (writes: Write[], requests: string[] = []): string =>
  recordOf(writes.map(encodeWrite), requests);

/** Returns the record of writes that are encoded already. */
export const recordOf = (writes: EncodedWrite[], requests: string[]): string =>
  JSON.stringify({ version, ...(requests.length > 0 && { requests }), writes });

/** @param provenance where the changes come from */
export const encodeChanges = (messages: MessageKey[], { requests, at }: Provenance = { requests: [] }): string =>
  JSON.stringify({
    version,
    ...(requests.length > 0 && { requests, at }),
    messages: messages.map(({ token, chat, number }) => ({ token, chat, number })),
  });

/** @param provenance where the steps come from */
export const encodeSteps = (steps: EncodedStep[], { requests, at }: Provenance): string =>
  JSON.stringify({
    version,
    ...(requests.length > 0 && { requests, at }),
    steps: steps.map(({ token, chat, version, event }) => ({ token, chat, version, event })),
  });

/** A write as the record has it. A member of the content that a write does not set is undefined, so JSON leaves it out. */
export type EncodedWrite = z.output<ReturnType<typeof schemas>['write']>;

export function encodeWrite(write: Write): EncodedWrite {
  const { token, at } = write;
  switch (write.kind) {
    case 'application':
      return { kind: 'application', token, revision: write.revision, at, name: write.name };
    case 'chat': {
      const { chat, revision, name, metadata } = write;
      return { kind: 'chat', token, chat, revision, at, name, metadata: encodedMetadata(revision, metadata) };
    }
    case 'message': {
      const { chat, number, revision, content } = write;
      const { sender, body, metadata } = content;
      const text = encodedMetadata(revision, metadata);
      return { kind: 'message', token, chat, number, revision, at, sender: sender ?? undefined, body, metadata: text };
    }
    case 'deletion':
      return { kind: 'deletion', token, chat: write.chat, number: write.number, at };
  }
}

/**
 * Returns metadata as a record has it. A creation leaves out metadata that is null. In an edit, null sets it to the
 * empty object.
 */
const encodedMetadata = (revision: number, metadata: string | null | undefined): string | null | undefined =>
  revision === 0 ? (metadata ?? undefined) : metadata;

function decodeWrite(encoded: EncodedWrite, i: number): Write {
  if (encoded.kind === 'chat') return decodeChat(encoded, i);
  if (encoded.kind !== 'message') return encoded;
  const { kind, token, chat, number, revision, at, sender, body, metadata } = encoded;
  if (revision === 0) {
    // Checked here, because a check in the schema took a third of the time of decoding.
    if (body === undefined) throw new MalformedRecord(`writes.${i}.body: missing`);
    const content = { sender: sender ?? null, body, metadata: metadata ?? null };
    return { kind, token, chat, number, revision, at, content };
  }
  const content: ContentChange = {};
  if (body !== undefined) content.body = body;
  if (metadata !== undefined) content.metadata = metadata;
  return { kind, token, chat, number, revision, at, content };
}

function decodeChat(encoded: EncodedWrite & { kind: 'chat' }, i: number): Write {
  const { kind, token, chat, revision, at, name, metadata } = encoded;
  const key = { kind, token, chat, revision, at };
  if (revision > 0) return { ...key, ...(name !== undefined && { name }), ...(metadata !== undefined && { metadata }) };
  if (name === undefined) throw new MalformedRecord(`writes.${i}.name: missing`);
  return { ...key, name, metadata: metadata ?? null };
}

/**
 * Returns the JSON text in ASCII, because SQS refuses some characters (U+FFFE, U+FFFF and most controls) and JSON can
 * escape them all. The value that the JSON stands for stays the same.
 */
export const asciiJson = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @throws MalformedRecord, UnknownRecord */
export function decodeWritesRecord(body: string): WritesRecord {
  const { requests, writes } = decode(schemas().writesRecord, body);
  return { requests: requestsIn(requests), writes: writes.map(decodeWrite) };
}

/** @throws MalformedRecord, UnknownRecord */
export function decodeChangesRecord(body: string): ChangesRecord {
  const { requests, at, messages } = decode(schemas().changesRecord, body);
  return { requests: requestsIn(requests), at, messages };
}

/** @throws MalformedRecord, UnknownRecord */
export function decodeStepsRecord(body: string): StepsRecord {
  const { requests, at, steps } = decode(schemas().stepsRecord, body);
  return { requests: requestsIn(requests), at, steps };
}

/** @throws MalformedRecord, UnknownRecord */
export const decodeWrites = (body: string): Write[] => decodeWritesRecord(body).writes;
/** @throws MalformedRecord, UnknownRecord */
export const decodeChanges = (body: string): MessageKey[] => decodeChangesRecord(body).messages;

// Lambda functions that only send records never build the schemas. The annotation lets the bundler leave them out, and
// zod's compiler with them.
const schemas = /* @__PURE__ */ once(() => {
  const token = z.string().check(z.minLength(1));
  const number = z.int().check(z.minimum(1), z.maximum(limits.highestNumber));
  const revision = z.int().check(z.minimum(0), z.maximum(limits.highestRevision));
  const at = z.int().check(z.minimum(0), z.maximum(limits.latestTime));
  const write = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('application'), token, revision, at, name: z.string() }),
    z.strictObject({
      kind: z.literal('chat'),
      token,
      chat: number,
      revision,
      at,
      name: z.optional(z.nullable(z.string())),
      metadata: z.optional(z.nullable(z.string())),
    }),
    z.strictObject({
      kind: z.literal('message'),
      token,
      chat: number,
      number,
      revision,
      at,
      sender: z.optional(z.string()),
      body: z.optional(z.string()),
      metadata: z.optional(z.nullable(z.string())),
    }),
    z.strictObject({
      kind: z.literal('deletion'),
      token,
      chat: z.optional(number),
      number: z.optional(number),
      at,
    }),
  ]);
  const messageKey = z.strictObject({ token, chat: number, number });
  const step = z.strictObject({ token, chat: z.exactOptional(number), version: z.int(), event: z.string() });
  return {
    write,
    // Compiled, because validating 1,000 messages takes 0.1 ms instead of 1.3 ms in one record, and 0.2 ms instead of
    // 2.1 ms in 1,000 records. Compiling takes 3 ms, once. A record that the compiled code refuses is parsed again by the
    // schema itself, so the errors are the same.
    writesRecord: z.compile(
      z.strictObject({
        version: z.literal(version),
        requests: z.optional(z.unknown()),
        writes: z.array(write).check(z.minLength(1)),
      }),
    ),
    changesRecord: z.strictObject({
      version: z.literal(version),
      requests: z.optional(z.unknown()),
      at: z.catch(z.optional(at), undefined),
      messages: z.array(messageKey).check(z.minLength(1)),
    }),
    stepsRecord: z.strictObject({
      version: z.literal(version),
      requests: z.optional(z.unknown()),
      at: z.catch(z.optional(at), undefined),
      steps: z.array(step).check(z.minLength(1)),
    }),
  };
});

/**
 * Returns the request ids of a record, by which logs can be searched for it. Nothing else depends on them, so missing
 * or malformed ids are ignored and lose no write. They are checked by hand: a zod schema that catches its error took a
 * quarter of the time of decoding a record with one write.
 */
const requestsIn = (value: unknown): string[] =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && id.length <= requestIdLength) ? value : [];

function decode<Record>(schema: z.ZodMiniType<Record>, body: string): Record {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new MalformedRecord('not JSON');
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { issues } = result.error;
  const faults = issues.map((issue) => ({ issue, unknown: unknownIn(issue, json) }));
  const otherVersion = faults.find(({ issue, unknown }) => unknown && issue.path.join() === 'version');
  // Newer releases that keep the format version only add kinds and members. So any fault in a known member means that
  // the record is damaged.
  const [first] = otherVersion ? [otherVersion] : faults.toSorted((a, b) => Number(!!a.unknown) - Number(!!b.unknown));
  const where = first?.issue.path.join('.') || 'record';
  if (first?.unknown) throw new UnknownRecord(`${where}: ${first.unknown}; a newer version wrote this record`);
  throw new MalformedRecord(`${where}: ${first?.issue.message}`);
}

/**
 * Returns which part of the record this version does not know, if that is the issue: a version, a kind of write or a
 * member.
 */
function unknownIn(issue: z.core.$ZodIssue, record: unknown): string | undefined {
  if (issue.code === 'unrecognized_keys') return 'unknown member';
  const value = issue.path.reduce<unknown>((each, key) => (each as { [name: PropertyKey]: unknown })[key], record);
  if (issue.code === 'invalid_union' && typeof value === 'string') return 'unknown kind';
  if (issue.path.join() === 'version' && Number.isSafeInteger(value)) return `unknown version ${value}`;
  return undefined;
}
