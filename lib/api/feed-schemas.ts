import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import { once } from '../once.ts';
import { documented } from './schema-parts.ts';

const { chats: maxChats } = limits.feed;

const version = '0|[1-9][0-9]*';
/** A chat's number and, after a colon, a version of it. */
const chatPattern = new RegExp(`^[1-9][0-9]*(:(${version}))?$`);
const applicationPattern = new RegExp(`^(${version})?$`);

/** A number of a chat that is too large becomes the largest safe integer, which no chat has, so it is not found. */
const toNumber = (digits: string) => Math.min(Number(digits), Number.MAX_SAFE_INTEGER);

/** Parses to a map from chat numbers to versions. If a chat occurs several times, its last version counts. */
const chats = () =>
  documented(
    z._default(
      z.pipe(
        z
          .array(
            z.string().check(z.regex(chatPattern, 'must be the number of a chat, alone or with a version: 2 or 2:17')),
          )
          .check(z.maxLength(maxChats, `must not be given more than ${maxChats} times`)),
        z.transform(
          (given) =>
            new Map(
              given.map((one) => {
                const [number = '', after] = one.split(':');
                return [toNumber(number), after === undefined ? undefined : toNumber(after)];
              }),
            ),
        ),
      ),
      () => new Map<number, number | undefined>(),
    ),
    {
      description: `For a stream: a chat to follow from now on (\`chat=2\`) or since one of its versions (\`chat=2:17\`). It may be given up to ${maxChats} times; if a chat occurs several times, the last one counts.`,
      override: {
        type: 'array',
        items: { type: 'string', pattern: chatPattern.source },
        maxItems: maxChats,
        default: [],
      },
      example: ['1', '2:17'],
    },
  );

const application = () =>
  documented(
    z.optional(
      z.pipe(
        z.string().check(z.regex(applicationPattern, 'must be empty or a version')),
        z.transform((after) => ({ after: after === '' ? undefined : toNumber(after) })),
      ),
    ),
    {
      description:
        "For a stream: follow the list of the application's chats, from now on (`application=`) or since a version (`application=5`).",
      override: { type: 'string', pattern: applicationPattern.source },
      // Not `param.allowEmptyValue`, which OpenAPI deprecates.
    },
  );

export const FeedQuery = once(() =>
  z.object({
    chat: chats(),
    application: application(),
    access_token: documented(z.optional(z.string()), {
      description:
        'An access token, for clients that cannot send headers, such as EventSource in a browser. Only a path with `self` takes it, only on this route, and only without a bearer token in the header `Authorization`. It is never logged, but a browser may keep URLs in its history.',
    }),
  }),
);
