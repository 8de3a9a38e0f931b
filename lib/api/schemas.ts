import * as z from 'zod';
import 'zod-openapi';
import { limits } from '../limits.ts';
import { asToken } from '../token.ts';

// What clients send and get. The checks and their words stand here once; the OpenAPI document is made from them.

const blank = /^\p{White_Space}*$/u;

const codePoints = (text: string): number => {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) count--;
  }
  return count;
};

/** What is wrong with a text that clients give, or undefined. */
function textFault(text: string, longest: number): string | undefined {
  if (!text.isWellFormed()) return 'must not have a lone surrogate';
  if (text.includes('\0')) return 'must not have the character U+0000';
  if (blank.test(text)) return 'must not be blank';
  if (text.length > longest && codePoints(text) > longest) return `must have at most ${longest} characters`;
  return undefined;
}

const typeFault = (expected: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is required' : `must be ${expected}`;

/**
 * The rule as the document tells it. JSON Schema's regular expressions know White_Space by its characters alone; a lone
 * surrogate is no valid JSON in UTF-8 anyway.
 */
const whiteSpace = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const documented = (longest: number) => ({
  minLength: 1,
  maxLength: longest,
  pattern: `^[^\\u0000]*[^\\u0000${whiteSpace}][^\\u0000]*$`,
});

const text = (longest: number, expected = 'a string') =>
  z
    .string({ error: typeFault(expected) })
    .superRefine((value, context) => {
      const fault = textFault(value, longest);
      if (fault) context.addIssue({ code: 'custom', message: fault });
    })
    .meta({ override: documented(longest) });

const object = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape, { error: 'must be a JSON object' });

const applicationName = text(limits.nameLength).meta({
  description: 'Not blank; kept exactly as sent.',
  example: 'Support desk',
  override: documented(limits.nameLength),
});
const chatName = text(limits.nameLength, 'a string or null')
  .nullable()
  .meta({ description: 'Not blank, or null for none.', example: 'Order 1042' });
const messageBody = text(limits.bodyLength).meta({
  description: 'Not blank; kept exactly as sent.',
  example: 'Hello, world',
  override: documented(limits.bodyLength),
});

const timestamp = z.iso.datetime({ precision: 3 }).meta({
  description: 'RFC 3339 in UTC, with milliseconds.',
  override: ({ jsonSchema }) => {
    delete jsonSchema.pattern;
  },
  example: '2026-11-21T09:30:00.123Z',
});
const count = z.int().min(0);
const number = z.int().min(1);

// --- requests -------------------------------------------------------------------------------------------------------

export const ApplicationInput = object({ name: applicationName }).meta({ id: 'ApplicationInput' });
export const ChatInput = object({ name: chatName.default(null) }).meta({ id: 'ChatInput' });
export const ChatEdit = object({ name: chatName }).meta({ id: 'ChatEdit' });
export const MessageInput = object({ body: messageBody }).meta({ id: 'MessageInput' });
export const MessagesInput = object({
  messages: z
    .array(MessageInput, { error: typeFault('an array') })
    .refine((messages) => messages.length > 0, 'must have at least one message')
    .refine((messages) => messages.length <= limits.batchSize, `must have at most ${limits.batchSize} messages`)
    .meta({ override: { minItems: 1, maxItems: limits.batchSize } }),
}).meta({ id: 'MessagesInput' });

/** A number in a path or query arrives as digits; in the document it is what it means. */
const asInteger =
  (facts: { minimum: number; maximum?: number; default?: number }) =>
  ({ jsonSchema }: { jsonSchema: { type?: unknown; pattern?: string } }) => {
    delete jsonSchema.pattern;
    Object.assign(jsonSchema, { type: 'integer', ...facts });
  };

const pathNumber = (of: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]*$/, 'must be a whole number from 1')
    // Anything larger than every number given is simply not found.
    .transform((digits) => Math.min(Number(digits), Number.MAX_SAFE_INTEGER))
    .meta({ description: `The ${of}'s number.`, override: asInteger({ minimum: 1 }), example: 1 });

const token = z.string().meta({ description: "The application's token.", example: 'Q2lDXdH2R2GfSqkhVYzhGg' });
const pathToken = token.transform(asToken);
export const ApplicationPath = z.object({ token: pathToken });
export const ChatPath = z.object({ token: pathToken, chat_number: pathNumber('chat') });
export const MessagePath = z.object({
  token: pathToken,
  chat_number: pathNumber('chat'),
  message_number: pathNumber('message'),
});

const queryNumber = (description: string) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]*)$/, 'must be a whole number')
    .transform((digits) => Math.min(Number(digits), Number.MAX_SAFE_INTEGER))
    .optional()
    .meta({ description, override: asInteger({ minimum: 0 }) });

const limit = ({ max, default: usual }: { max: number; default: number }) =>
  z
    .string()
    .regex(/^[0-9]+$/, `must be a whole number from 1 to ${max}`)
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be a whole number from 1 to ${max}`)
    .default(usual)
    .meta({
      description: 'How many at most; a page may hold fewer, and only `next: null` ends a list.',
      override: asInteger({ minimum: 1, maximum: max, default: usual }),
    });

const cursor = z
  .string()
  .optional()
  // Whether it is one of this list is judged later; the document tells what all have in common.
  .meta({ description: 'The `next` of the page before.', override: { pattern: '^[A-Za-z0-9_-]+$' } });
const order = z.enum(['asc', 'desc'], { error: 'must be asc or desc' }).default('asc');

export const PageQuery = z.object({ limit: limit(limits.page), cursor, order });
export const NumberedPageQuery = PageQuery.extend({
  after: queryNumber('Only numbers above this one.'),
  before: queryNumber('Only numbers below this one.'),
});
export const SearchQuery = z.object({
  q: z
    .string({ error: 'is required' })
    .refine((q) => q.length > 0, 'must not be empty')
    .refine((q) => q.length <= limits.queryLength || codePoints(q) <= limits.queryLength, {
      error: `must have at most ${limits.queryLength} characters`,
    })
    .meta({
      description: 'Plain text; a message matches when its body contains it, without regard to case.',
      override: { minLength: 1, maxLength: limits.queryLength },
      example: 'ello, w',
    }),
  limit: limit(limits.searchPage),
  cursor,
});

/** Bare or in quotes; white space around it is not part of a header's value. */
const bareOrQuoted = new RegExp(
  `^(?!""$)(?:[!-~](?:[ -~]{0,${limits.idempotencyKeyLength - 2}}[!-~])?|"[ -~]{1,${limits.idempotencyKeyLength}}")$`,
);

export const idempotencyKey = z
  .string()
  .regex(bareOrQuoted, { error: `must be 1 to ${limits.idempotencyKeyLength} printable ASCII characters` })
  .transform((value) => (/^".*"$/.test(value) ? value.slice(1, -1) : value))
  .meta({
    description:
      'Within 24 hours, the same key with the same payload gets the first answer again instead of a second write.',
    example: '4f7a9c1e-2b3d-4e5f-8a9b-0c1d2e3f4a5b',
  });

// --- answers --------------------------------------------------------------------------------------------------------

const changes = { created_at: timestamp, updated_at: timestamp };

export const Application = z
  .object({ token, name: applicationName, chats_count: count, ...changes })
  .meta({ id: 'Application' });
/** An edit does not wait for the store, which alone knows the count. */
export const EditedApplication = Application.omit({ chats_count: true }).meta({ id: 'EditedApplication' });
export const Chat = z.object({ number, name: chatName, messages_count: count, ...changes }).meta({ id: 'Chat' });
export const EditedChat = Chat.omit({ messages_count: true }).meta({ id: 'EditedChat' });
export const Message = z.object({ number, body: messageBody, ...changes }).meta({ id: 'Message' });
export const EditedMessage = Message.omit({ created_at: true }).meta({ id: 'EditedMessage' });
export const Messages = z.object({ data: z.array(Message) }).meta({ id: 'Messages' });

const next = z.string().nullable().meta({ description: 'The cursor of the next page; null ends the list.' });
export const ApplicationPage = z.object({ data: z.array(Application), next }).meta({ id: 'ApplicationPage' });
export const ChatPage = z.object({ data: z.array(Chat), next }).meta({ id: 'ChatPage' });
export const MessagePage = z
  .object({
    data: z.array(Message),
    next,
    pending: z.array(number).meta({
      description:
        'Numbers inside the stretch this page covers that are accepted but not stored yet: come back for them.',
    }),
  })
  .meta({ id: 'MessagePage' });

const highlight = z.string().meta({
  description: 'The body as HTML text, every match in `<em>`.',
  example: 'H<em>ello, w</em>orld',
});
const totals = {
  total: count.meta({ description: `All matches, exact up to ${limits.exactTotal}.` }),
  total_is_minimum: z
    .literal(true)
    .optional()
    .meta({ description: `There are more than ${limits.exactTotal} matches.` }),
};
export const ChatMatchPage = z
  .object({ data: z.array(Message.extend({ highlight }).meta({ id: 'ChatMatch' })), next, ...totals })
  .meta({ id: 'ChatMatchPage' });
export const ApplicationMatchPage = z
  .object({
    data: z.array(Message.extend({ chat_number: number, highlight }).meta({ id: 'ApplicationMatch' })),
    next,
    ...totals,
  })
  .meta({ id: 'ApplicationMatchPage' });

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

export const ProblemDocument = z
  .object({
    type: z.string().meta({ example: 'urn:chat-system:problem:chat_not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ example: 'chat_not_found' }),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description: "A JSON Pointer into the body, or a parameter's or header's name.",
            example: '/messages/1/body',
          }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457, as application/problem+json.' });
