import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import { permissions } from '../model/holder.ts';
import { once } from '../once.ts';
import { documented, typeFault } from './schema-parts.ts';
import { messageSender } from './schemas.ts';

const { chats: maxChats, lifetime } = limits.accessToken;

/** An array whose length is checked before its items, so that an array of very many wrong items has a single fault. */
const array = <Item extends z.core.$ZodType>(items: Item, most: number, length: string) =>
  z.pipe(
    z
      .array(z.unknown(), { error: typeFault('an array') })
      .check(z.minLength(1, `must have ${length}`), z.maxLength(most, `must have ${length}`)),
    z.array(items),
  );

const chatNumbers = () => {
  const fault = `must be a whole number from 1 to ${limits.highestNumber}`;
  const number = z.int(fault).check(z.gte(1, fault), z.lte(limits.highestNumber, fault));
  const numbers = array(number, maxChats, `1 to ${maxChats} chat numbers`);
  return documented(z._default(z.nullable(numbers), null), {
    description:
      'The numbers of the chats that the access token is for. They need not exist yet. Null for all chats of the application, later ones too.',
    override: {
      anyOf: [
        {
          type: 'array',
          items: { type: 'integer', minimum: 1, maximum: limits.highestNumber },
          minItems: 1,
          maxItems: maxChats,
        },
        { type: 'null' },
      ],
    },
    example: [1, 7],
  });
};

const can = () =>
  documented(
    z._default(
      array(
        z.enum(permissions, { error: `must be one of ${permissions.join(', ')}` }),
        permissions.length,
        `1 to ${permissions.length} of ${permissions.join(', ')}`,
      ).check(z.refine((given) => new Set(given).size === given.length, 'must have different values')),
      ['read'],
    ),
    {
      description:
        '`read`: get, list and search. `create`: create messages. `edit`: edit and delete messages that have the sender of the access token. Messages without a sender cannot be edited with an access token.',
      override: {
        type: 'array',
        items: { type: 'string', enum: [...permissions] },
        minItems: 1,
        maxItems: permissions.length,
        uniqueItems: true,
      },
      example: ['read', 'create'],
    },
  );

const expiresIn = () => {
  const { min, max, default: usual } = lifetime;
  const fault = `must be a whole number of seconds from ${min} to ${max}`;
  return documented(z._default(z.int(fault).check(z.gte(min, fault), z.lte(max, fault)), usual), {
    description: 'Seconds until the access token expires.',
    override: { type: 'integer', minimum: min, maximum: max, default: usual },
    example: usual,
  });
};

export const AccessTokenInput = once(() =>
  documented(
    z.object(
      {
        sender: z._default(
          documented(messageSender(), {
            description: 'The sender of every message that is created with the access token.',
            example: 'user-17',
          }),
          null,
        ),
        chats: chatNumbers(),
        can: can(),
        expires_in: expiresIn(),
      },
      { error: 'must be a JSON object' },
    ),
    { id: 'AccessTokenInput' },
  ),
);
