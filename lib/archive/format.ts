import * as z from 'zod';
import { limits } from '../limits.ts';
import type { MessageKey } from '../model/keys.ts';
import { type Metadata, metadataFault, metadataText, parsedMetadata } from '../model/metadata.ts';
import { textFault } from '../model/text.ts';
import { asToken } from '../model/token.ts';
import type { MessageState } from '../model/writes-of.ts';
import { parseTime, timeFault, timeText } from './time.ts';

// The file of an exported application has a JSON object on each line. The first line names the format. The application
// follows, then each chat with its messages, ordered by number. The last line has the counts, so that a truncated file
// is detected.

/**
 * The version of the file format. Raise it with every new member, so that an import by an earlier version stops at the
 * first line, before it writes anything.
 */
export const archiveFormat = 2;

/** The first format had neither senders nor metadata. */
const readableFormats = [1, archiveFormat];

const whole = (lowest: number, highest: number) => {
  const error = `must be a whole number from ${lowest} to ${highest}`;
  return z.int({ error }).min(lowest, { error }).max(highest, { error });
};
const number = whole(1, limits.highestNumber);
/** The highest assigned number; 0 before the first. */
const highest = whole(0, limits.highestNumber);
/** 0 when created; each edit adds 1. */
const revision = whole(0, limits.highestRevision);
const count = whole(0, Number.MAX_SAFE_INTEGER);

/** Any time of RFC 3339; decoding writes it in UTC with milliseconds. */
const time = z.string({ error: timeFault }).transform((text, context) => {
  const parsed = parseTime(text);
  if (typeof parsed === 'number') return timeText(parsed);
  context.issues.push({ code: 'custom', message: parsed.fault, input: text });
  return z.NEVER;
});

/**
 * Makes the schema of a name or body. It is not the API's schema, because an export must stay importable when the API
 * becomes stricter.
 */
const text = (longest: number, expected = 'a string') =>
  z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : `must be ${expected}`) })
    .check(({ value, issues }) => {
      const message = textFault(value, longest);
      if (message) issues.push({ code: 'custom', message, input: value });
    });

const metadata = z.unknown().check(({ value, issues }) => {
  const fault = metadataFault(value);
  if (fault) issues.push({ code: 'custom', message: fault, input: value });
});

const kindFault = (issue: { code?: string | undefined }) =>
  issue.code === 'invalid_union' ? 'is not a known kind of line' : 'must be a JSON object';

const formatFault = ({ input }: { input?: unknown }) =>
  `must be one of ${readableFormats.join(', ')}, the formats that this version of chat-system reads${
    Number.isSafeInteger(input) ? `, but is ${input}; import the file with the version that wrote it` : ''
  }`;

const kinds = [
  z.strictObject({ kind: z.literal('archive'), format: z.literal(readableFormats, { error: formatFault }) }),
  z.strictObject({
    kind: z.literal('application'),
    token: z.string().refine((token) => asToken(token) === token, 'is not a token'),
    name: text(limits.nameLength),
    revision,
    created_at: time,
    updated_at: time,
    /** The highest number assigned to a chat. */
    highest,
  }),
  z.strictObject({
    kind: z.literal('chat'),
    number,
    name: text(limits.nameLength, 'a string or null').nullable(),
    metadata: metadata.optional(),
    revision,
    /** When true, its messages are deleted, and its number is never assigned again. */
    deleted: z.boolean(),
    created_at: time,
    updated_at: time,
    /** The highest number assigned to a message. */
    highest,
  }),
  z.strictObject({
    kind: z.literal('message'),
    chat: number,
    number,
    sender: text(limits.nameLength, 'a string or null').nullable().optional(),
    body: text(limits.bodyLength),
    metadata: metadata.optional(),
    revision,
    metadata_revision: revision.optional(),
    created_at: time,
    updated_at: time,
  }),
  z.strictObject({ kind: z.literal('deleted message'), chat: number, number }),
  z.strictObject({ kind: z.literal('end'), chats: count, messages: count, deleted_messages: count }),
] as const;
const line = z.discriminatedUnion('kind', kinds, { error: kindFault });
export type ArchiveLine = z.output<typeof line>;
export type LineOf<Kind extends ArchiveLine['kind']> = Extract<ArchiveLine, { kind: Kind }>;

/** A line that is not valid, or an application that cannot be exported or imported; the message says why. */
export class ArchiveProblem extends Error {}

/** @throws ArchiveProblem for a line that is not valid */
export function decodeLine(text: string): ArchiveLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ArchiveProblem('is not JSON');
  }
  const result = line.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new ArchiveProblem(
      `has ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}, which this version of chat-system does not know; import the file with the version that wrote it`,
    );
  throw new ArchiveProblem([issue?.path.join('.'), issue?.message].filter(Boolean).join(' '));
}

/** Returns the line of a message that is not deleted and whose creation has arrived. */
export const messageLine = ({ chat, number, ...message }: MessageKey & MessageState): LineOf<'message'> => ({
  kind: 'message',
  chat,
  number,
  ...(message.content.sender !== null && { sender: message.content.sender }),
  body: message.content.body,
  ...(message.content.metadata !== null && { metadata: parsedMetadata(message.content.metadata) }),
  revision: message.revisions.body,
  ...(message.revisions.metadata > 0 && { metadata_revision: message.revisions.metadata }),
  created_at: timeText(message.createdAt),
  updated_at: timeText(message.updatedAt),
});

/** Returns the metadata of a line, as it is stored. */
export const metadataIn = ({ metadata }: { metadata?: unknown }): string | null =>
  metadata === undefined ? null : metadataText(metadata as Metadata);

/** Returns the message of a line. */
export const messageOf = (line: LineOf<'message'>): MessageState => ({
  content: {
    sender: line.sender ?? null,
    body: line.body,
    metadata: metadataIn(line),
  },
  revisions: { body: line.revision, metadata: line.metadata_revision ?? 0 },
  createdAt: Date.parse(line.created_at),
  updatedAt: Date.parse(line.updated_at),
});
