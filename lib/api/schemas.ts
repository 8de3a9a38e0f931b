import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import { codePoints } from '../model/text.ts';
import { asToken } from '../model/token.ts';
import { once } from '../once.ts';
import { documented, text, typeFault } from './schema-parts.ts';

// What clients send; what they get is in answers.ts. The checks and their words stand here once; the OpenAPI document is
// made from them. A function makes those of its own route when it starts, which is why each is made when it is asked for, and
// of zod's small edition.

const object = <Shape extends z.core.$ZodShape>(id: string, shape: Shape) =>
  documented(z.object(shape, { error: 'must be a JSON object' }), { id });

const kept = 'Not blank; kept exactly as sent.';
export const applicationName = () => text(limits.nameLength, { description: kept, example: 'Support desk' });
export const chatName = () =>
  documented(z.nullable(text(limits.nameLength, {}, 'a string or null')), {
    description: 'Not blank, or null for none.',
    example: 'Order 1042',
  });
export const messageBody = () => text(limits.bodyLength, { description: kept, example: 'Hello, world' });

export const ApplicationInput = once(() => object('ApplicationInput', { name: applicationName() }));
export const ChatInput = once(() => object('ChatInput', { name: z._default(chatName(), null) }));
export const ChatEdit = once(() => object('ChatEdit', { name: chatName() }));
export const MessageInput = once(() => object('MessageInput', { body: messageBody() }));
export const tooManyMessages = `must have at most ${limits.batchSize} messages`;
export const MessagesInput = once(() => {
  // The length is judged first: finding a fault in each of very many items would take seconds.
  const counted = z.transform((value: unknown, { issues }) => {
    if (!Array.isArray(value)) return value;
    const fault =
      value.length === 0 ? 'must have at least one message' : value.length > limits.batchSize && tooManyMessages;
    if (fault) issues.push({ code: 'custom', message: fault, input: value });
    return value;
  });
  const messages = z.pipe(counted, z.array(MessageInput(), { error: typeFault('an array') }));
  return object('MessagesInput', {
    messages: documented(messages, { override: { minItems: 1, maxItems: limits.batchSize } }),
  });
});

/** A number in a path or query arrives as digits; in the document it is what it means. */
const asInteger =
  (facts: { minimum: number; maximum?: number; default?: number }) =>
  ({ jsonSchema }: { jsonSchema: { type?: unknown; pattern?: string } }) => {
    delete jsonSchema.pattern;
    Object.assign(jsonSchema, { type: 'integer', ...facts });
  };

/** Anything larger than every number given is simply not found. */
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
const pathToken = () => z.pipe(token(), z.transform(asToken));
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

const limit = ({ max, default: usual }: { max: number; default: number }) => {
  const fault = `must be a whole number from 1 to ${max}`;
  const inRange = z.refine<number>((value) => value >= 1 && value <= max, fault);
  const given = z.pipe(z.string().check(z.regex(/^[0-9]+$/, fault)), z.transform(Number)).check(inRange);
  return documented(z._default(given, usual), {
    description: 'How many at most; a page may hold fewer, and only `next: null` ends a list.',
    override: asInteger({ minimum: 1, maximum: max, default: usual }),
  });
};

// Whether it is one of this list is judged later; the document tells what all have in common.
const cursor = () =>
  documented(z.optional(z.string()), {
    description: 'The `next` of the page before.',
    override: { pattern: '^[A-Za-z0-9_-]+$' },
  });
const order = () => z._default(z.enum(['asc', 'desc'], { error: 'must be asc or desc' }), 'asc');

export const PageQuery = once(() => z.object({ limit: limit(limits.page), cursor: cursor(), order: order() }));
export const NumberedPageQuery = once(() =>
  z.extend(PageQuery(), {
    after: queryNumber('Only numbers above this one.'),
    before: queryNumber('Only numbers below this one.'),
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
        description: 'Plain text; a message matches when its body contains it, without regard to case.',
        override: { minLength: 1, maxLength: limits.queryLength },
        example: 'ello, w',
      },
    ),
    limit: limit(limits.searchPage),
    cursor: cursor(),
  }),
);

/** Bare or in quotes; white space around it is not part of a header's value. */
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
        'Within 24 hours, the same key with the same payload gets the first answer again instead of a second write.',
      example: '4f7a9c1e-2b3d-4e5f-8a9b-0c1d2e3f4a5b',
    },
  ),
);
