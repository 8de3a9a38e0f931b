import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import type { ChatContent, ContentMember, MessageContent } from '../model/content.ts';
import { isJsonObject, type Metadata, metadataFault, metadataText } from '../model/metadata.ts';
import { codePoints, textFault } from '../model/text.ts';
import { asToken } from '../model/token.ts';
import { once } from '../once.ts';
import { documented, text, typeFault } from './schema-parts.ts';

// Schemas of requests; those of responses are in responses.ts. The OpenAPI document is built from these schemas, so
// each rule and its message is defined once. A function needs only the schemas of its own route, so each schema is
// built at its first use, and with zod/mini. That keeps cold starts short.

const object = <Shape extends z.core.$ZodShape>(id: string, shape: Shape) =>
  documented(z.object(shape, { error: 'must be a JSON object' }), { id });

/** An object that has at least one member of the shape. */
const edit = <Shape extends z.core.$ZodShape>(id: string, shape: Shape) =>
  documented(
    z.object(shape, { error: 'must be a JSON object' }).check(({ value, issues }) => {
      if (Object.keys(value).length === 0)
        issues.push({ code: 'custom', message: 'must have at least one member that can be edited', input: value });
    }),
    { id, override: { anyOf: Object.keys(shape).map((name) => ({ required: [name] })) } },
  );

const kept = 'Not blank. Stored and returned exactly as sent.';
export const applicationName = () => text(limits.nameLength, { description: kept, example: 'Support desk' });
export const chatName = () =>
  documented(z.nullable(text(limits.nameLength, {}, 'a string or null')), {
    description: 'Not blank. Null when the chat has no name.',
    example: 'Order 1042',
  });
export const messageBody = () => text(limits.bodyLength, { description: kept, example: 'Hello, world' });
export const messageSender = () =>
  documented(z.nullable(text(limits.nameLength, {}, 'a string or null')), {
    description: "The client's own id of the user who wrote the message; null if none was given. It never changes.",
    example: 'user-17',
  });
export const metadataFacts = {
  description: `The client's own JSON object: at most ${limits.metadataBytes} bytes of compact JSON and ${limits.metadataLevels} levels, without U+0000 in names and texts. An edit replaces it whole. It is never searched.`,
  example: { order: 1042 },
};
/** Metadata, as the text that is stored. */
const metadata = () =>
  documented(
    z.pipe(
      z.unknown().check(({ value, issues }) => {
        const fault = value === undefined ? 'is required' : metadataFault(value);
        if (fault) issues.push({ code: 'custom', message: fault, input: value });
      }),
      z.transform((value) => metadataText(value as Metadata)),
    ),
    { ...metadataFacts, override: { type: 'object', additionalProperties: {} } },
  );

export const ApplicationInput = once(() => object('ApplicationInput', { name: applicationName() }));
/** Parses to the content, which handlers pass on unchanged. */
export const ChatInput = once(() =>
  object('ChatInput', {
    name: z._default(chatName(), null),
    metadata: z._default(metadata(), null),
  } satisfies Record<keyof ChatContent, unknown>),
);
/** Parses to the members to change, which handlers pass on unchanged. */
export const ChatEdit = once(() =>
  edit('ChatEdit', {
    name: z.exactOptional(chatName()),
    metadata: z.exactOptional(metadata()),
  } satisfies Record<keyof ChatContent, unknown>),
);
/** Parses to the content, which handlers pass on unchanged. */
export const MessageInput = once(() =>
  object('MessageInput', {
    sender: z._default(messageSender(), null),
    body: messageBody(),
    metadata: z._default(metadata(), null),
  } satisfies Record<keyof MessageContent, unknown>),
);
/** Parses to the members to change, which handlers pass on unchanged. */
export const MessageEdit = once(() =>
  edit('MessageEdit', {
    body: z.exactOptional(messageBody()),
    metadata: z.exactOptional(metadata()),
  } satisfies Record<ContentMember, unknown>),
);
/**
 * Returns what {@link MessageInput} returns for a valid message, and undefined for anything else. Batches try it before
 * the schema, which allocates a payload for each member of each message: that took a fifth of the time of accepting a
 * batch (`script/bench embedded-batch`).
 */
export function validContent(message: unknown): MessageContent | undefined {
  if (!isJsonObject(message)) return undefined;
  const { sender = null, body, metadata } = message;
  if (typeof body !== 'string' || textFault(body, limits.bodyLength)) return undefined;
  if (sender !== null && (typeof sender !== 'string' || textFault(sender, limits.nameLength))) return undefined;
  if (metadata === undefined) return { sender, body, metadata: null };
  return metadataFault(metadata) ? undefined : { sender, body, metadata: metadataText(metadata as Metadata) };
}
export const tooManyMessages = `must have at most ${limits.batchSize} messages`;
/**
 * Returns what is wrong with a list of messages as a whole. This is checked before its messages, because reporting a
 * fault for each of very many messages would take seconds.
 */
function messageListFault(value: unknown): string | undefined {
  if (!Array.isArray(value)) return typeFault('an array')({ input: value });
  if (value.length === 0) return 'must have at least one message';
  return value.length > limits.batchSize ? tooManyMessages : undefined;
}
export const MessagesInput = once(() => {
  const contentsOf = z.transform((value: unknown, { issues }): MessageContent[] => {
    const fault = messageListFault(value);
    if (fault) issues.push({ code: 'custom', message: fault, input: value });
    const contents: MessageContent[] = [];
    for (const [i, message] of fault ? [] : (value as unknown[]).entries()) {
      const content = validContent(message);
      if (content) {
        contents.push(content);
        continue;
      }
      const { data, error } = MessageInput().safeParse(message);
      if (data) contents.push(data);
      for (const { message: detail, path } of error?.issues ?? [])
        issues.push({ code: 'custom', message: detail, path: [i, ...path], input: message });
    }
    return contents;
  });
  // A transform alone would be documented as optional.
  const messages = z.pipe(z.unknown(), contentsOf);
  const override = {
    type: 'array' as const,
    minItems: 1,
    maxItems: limits.batchSize,
    items: { $ref: '#/components/schemas/MessageInput' },
  };
  return object('MessagesInput', { messages: documented(messages, { override }) });
});

/** Documents a number in a path or query as an integer, although it arrives as text. */
const asInteger =
  (facts: { minimum: number; maximum?: number; default?: number }) =>
  ({ jsonSchema }: { jsonSchema: { type?: unknown; pattern?: string } }) => {
    delete jsonSchema.pattern;
    Object.assign(jsonSchema, { type: 'integer', ...facts });
  };

/**
 * Converts digits to a number. A number that is too large becomes the largest safe integer, which no resource has, so
 * it is not found.
 */
const toNumber = () => z.transform((digits: string) => Math.min(Number(digits), Number.MAX_SAFE_INTEGER));

const pathNumber = (of: string) =>
  documented(z.pipe(z.string().check(z.regex(/^[1-9][0-9]*$/, 'must be a whole number from 1')), toNumber()), {
    description: `The ${of}'s number.`,
    override: asInteger({ minimum: 1 }),
    example: 1,
  });

export const token = () =>
  documented(z.string(), {
    description: "The application's token.",
    example: 'Q2lDXdH2R2GfSqkhVYzhGg',
  });
const pathToken = () =>
  documented(z.pipe(token(), z.transform(asToken)), {
    description: "The application's token, or `self` when the header `Authorization` has a bearer token.",
    example: 'self',
  });
export const ApplicationPath = once(() => z.object({ token: pathToken() }));
export const ChatPath = once(() => z.object({ token: pathToken(), chat_number: pathNumber('chat') }));
export const MessagePath = once(() =>
  z.object({ token: pathToken(), chat_number: pathNumber('chat'), message_number: pathNumber('message') }),
);

const queryNumber = (description: string) =>
  documented(z.optional(z.pipe(z.string().check(z.regex(/^(0|[1-9][0-9]*)$/, 'must be a whole number')), toNumber())), {
    description,
    override: asInteger({ minimum: 0 }),
  });

const limit = (
  { max, default: usual }: { max: number; default: number },
  description = 'The most items on the page. A page may have fewer; only `next: null` ends a list.',
) => {
  const fault = `must be a whole number from 1 to ${max}`;
  const inRange = z.refine<number>((value) => value >= 1 && value <= max, fault);
  const given = z.pipe(z.string().check(z.regex(/^[0-9]+$/, fault)), z.transform(Number)).check(inRange);
  return documented(z._default(given, usual), {
    description,
    override: asInteger({ minimum: 1, maximum: max, default: usual }),
  });
};

// The handler checks whether a cursor belongs to its list; the pattern holds for the cursors of all lists.
const cursor = (description = 'The `next` of the previous page. Absent for the first page.') =>
  documented(z.optional(z.string()), {
    description,
    override: { pattern: '^[A-Za-z0-9_-]+$' },
  });
const order = () =>
  documented(z._default(z.enum(['asc', 'desc'], { error: 'must be asc or desc' }), 'asc'), {
    description: 'Ascending or descending.',
  });

export const PageQuery = once(() => z.object({ limit: limit(limits.page), cursor: cursor(), order: order() }));
export const NumberedPageQuery = once(() =>
  z.extend(PageQuery(), {
    after: queryNumber('List only numbers greater than this one.'),
    before: queryNumber('List only numbers less than this one.'),
  }),
);
export const ChangesQuery = once(() =>
  z.object({
    after: queryNumber(
      'The version that the client has: `change` of the previous page, or 0 for everything. Without it, the response has the current version and no changes.',
    ),
    limit: limit(
      limits.changesPage,
      'The most changes on the page. A version is split only if its changes do not fit on one page. Only `more: false` ends the list.',
    ),
    cursor: cursor('The `cursor` of the previous page, if it had one. Pass it with the same `after` and `limit`.'),
  }),
);
export const SearchQuery = once(() =>
  z.object({
    q: documented(
      z.string({ error: 'is required' }).check(
        z.refine((q) => q.length > 0, 'must not be empty'),
        z.refine((q) => q.length <= limits.queryLength || codePoints(q) <= limits.queryLength, {
          error: `must have at most ${limits.queryLength} characters`,
        }),
      ),
      {
        description:
          'Plain text. A message matches when its body contains the text, ignoring case. In a URL, `+` stands for a ' +
          'space: send a plus sign as `%2B`.',
        override: { minLength: 1, maxLength: limits.queryLength },
        example: 'ello, w',
      },
    ),
    limit: limit(limits.searchPage),
    cursor: cursor(),
  }),
);

/** Matches a key, bare or in quotes. White space around it is not part of a header's value. */
const bareOrQuoted = () =>
  new RegExp(
    `^(?!""$)(?:[!-~](?:[ -~]{0,${limits.idempotencyKeyLength - 2}}[!-~])?|"[ -~]{1,${limits.idempotencyKeyLength}}")$`,
  );

export const idempotencyKey = once(() =>
  documented(
    z.pipe(
      z
        .string()
        .check(
          z.regex(bareOrQuoted(), { error: `must be 1 to ${limits.idempotencyKeyLength} printable ASCII characters` }),
        ),
      z.transform((value) => (/^".*"$/.test(value) ? value.slice(1, -1) : value)),
    ),
    {
      description:
        'Makes a retry safe. Within 24 hours, a request with the same key and the same body gets the first response ' +
        'again, and nothing is written twice. Use a new key, such as a UUID, for each new request.',
      // No example: the docs page would send it with every request, and the second one would get the first response.
    },
  ),
);
