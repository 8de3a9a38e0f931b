import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod/mini';
import * as schemas from '../../lib/api/schemas.ts';
import { limits } from '../../lib/limits.ts';
import { blankContent } from '../../lib/model/content.ts';
import { numbers } from '../support/histories/writes.ts';
import { acceptableTexts, refusedTexts } from '../support/texts/names-and-bodies.ts';

/** Returns the faults that a schema finds, as `path: detail`; none for a valid value. */
const faults = (schema: z.ZodMiniType, value: unknown): string[] =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('/')}: ${message}`) ?? [];

const aToken = 'Q2lDXdH2R2GfSqkhVYzhGg';

describe('names and bodies', () => {
  const fields = [
    ['an application’s name', schemas.ApplicationInput(), 'name', limits.nameLength],
    ['a chat’s name', schemas.ChatInput(), 'name', limits.nameLength],
    ['a chat’s new name', schemas.ChatEdit(), 'name', limits.nameLength],
    ['a body', schemas.MessageInput(), 'body', limits.bodyLength],
  ] as const;

  test.for(fields)('%s is kept exactly as sent, up to its greatest length', ([, schema, field, longest]) => {
    for (const { text } of acceptableTexts(longest))
      expect(schema.parse({ [field]: text })).toMatchObject({ [field]: text });
  });

  test.for(fields)(
    '%s is refused when it is too long or blank, or has U+0000 or a lone surrogate',
    ([, schema, field, longest]) => {
      for (const { what, json } of refusedTexts(longest)) {
        const found = faults(schema, { [field]: JSON.parse(json) });
        expect(found, what).toHaveLength(1);
        expect(found[0]).toMatch(/^(name|body): must /);
      }
    },
  );

  test('a text is blank exactly when it has only Unicode White_Space', () => {
    for (const point of numbers(1, 0xffff).filter((each) => each < 0xd800 || each > 0xdfff)) {
      const character = String.fromCharCode(point);
      const refused = faults(schemas.MessageInput(), { body: character.repeat(2) }).length > 0;
      expect(refused, point.toString(16)).toBe(/\p{White_Space}/u.test(character));
    }
  });

  test('the length of a text is counted in code points, wherever surrogate pairs are', () => {
    const half = limits.nameLength / 2;
    for (const text of [
      `${'a'.repeat(Math.floor(half))}${'\u{1F600}'.repeat(Math.ceil(half))}`,
      `${'\u{1F600}'.repeat(Math.ceil(half))}${'\uE000'.repeat(Math.floor(half))}`,
    ]) {
      expect(faults(schemas.ApplicationInput(), { name: text })).toEqual([]);
      expect(faults(schemas.ApplicationInput(), { name: `${text}a` })).toEqual([
        'name: must have at most 255 characters',
      ]);
      expect(faults(schemas.ApplicationInput(), { name: `\u{10FFFF}${text}` })).toHaveLength(1);
    }
  });

  test.for([undefined, 1, true, {}, ['x']])('a name or body that is %j is refused', (value) => {
    const words = value === undefined ? 'is required' : 'must be a string';
    expect(faults(schemas.ApplicationInput(), { name: value })).toEqual([`name: ${words}`]);
    expect(faults(schemas.MessageInput(), { body: value })).toEqual([`body: ${words}`]);
  });

  test('null removes a chat’s name; a missing name is null in a create, and an edit needs a name or metadata', () => {
    expect(schemas.ChatInput().parse({})).toEqual({ name: null, metadata: null });
    expect(schemas.ChatInput().parse({ name: null })).toEqual({ name: null, metadata: null });
    expect(schemas.ChatEdit().parse({ name: null })).toEqual({ name: null });
    expect(schemas.ChatEdit().parse({ metadata: {} })).toEqual({ metadata: null });
    expect(faults(schemas.ChatEdit(), {})).toEqual([': must have at least one member that can be edited']);
    expect(faults(schemas.ChatEdit(), { name: 3 })).toEqual(['name: must be a string or null']);
    expect(faults(schemas.ApplicationInput(), { name: null })).toEqual(['name: must be a string']);
    expect(faults(schemas.MessageInput(), { body: null })).toEqual(['body: must be a string']);
  });

  test('unknown members are ignored, and a body that is not an object is refused', () => {
    expect(schemas.MessageInput().parse({ body: 'x', author: 'me', __proto__: null })).toEqual({
      ...blankContent,
      body: 'x',
    });
    for (const value of [null, [], 'x', 3, undefined])
      expect(faults(schemas.MessageInput(), value)).toEqual([': must be a JSON object']);
  });
});

describe('a batch', () => {
  const batch = (count: number) => ({ messages: numbers(1, count).map((i) => ({ body: `message ${i}` })) });

  test('a batch has from one to a thousand messages', () => {
    expect(faults(schemas.MessagesInput(), batch(1))).toEqual([]);
    expect(faults(schemas.MessagesInput(), batch(1_000))).toEqual([]);
    expect(faults(schemas.MessagesInput(), batch(0))).toEqual(['messages: must have at least one message']);
    expect(faults(schemas.MessagesInput(), batch(1_001))).toEqual(['messages: must have at most 1000 messages']);
    expect(faults(schemas.MessagesInput(), {})).toEqual(['messages: is required']);
    expect(faults(schemas.MessagesInput(), { messages: 'x' })).toEqual(['messages: must be an array']);
  });

  test('a refused batch names every message with a fault', () => {
    const messages = [{ body: 'fine' }, { body: ' ' }, { body: 'fine' }, {}, null];
    expect(faults(schemas.MessagesInput(), { messages })).toEqual([
      'messages/1/body: must not be blank',
      'messages/3/body: is required',
      'messages/4: must be a JSON object',
    ]);
  });
});

describe('the content of a message in a batch', () => {
  const text = (longest: number) =>
    fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        '',
        ' ',
        'x',
        '\0',
        '\ud800',
        'x'.repeat(longest),
        'x'.repeat(longest + 1),
        3,
        {},
        [],
      ),
      fc.string({ unit: 'binary' }),
    );
  const metadata = fc.oneof(fc.constantFrom(undefined, null, 'x', [], {}), fc.dictionary(fc.string(), fc.jsonValue()));
  const message = fc.oneof(
    fc.record(
      { sender: text(limits.nameLength), body: text(limits.bodyLength), metadata, other: fc.jsonValue() },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );

  test('the content is what the schema returns, and undefined when the schema refuses the message', () => {
    let valid = 0;
    fc.assert(
      fc.property(message, (value) => {
        const { data } = schemas.MessageInput().safeParse(value);
        if (data) valid++;
        expect(schemas.validContent(value)).toEqual(data);
      }),
      { numRuns: 5_000 },
    );
    expect(valid).toBeGreaterThan(100);
  });
});

describe('path and query', () => {
  test.for(['1', '9', '10', '4294967296', '9007199254740991'])('the path number %s is accepted', (digits) => {
    expect(schemas.ChatPath().parse({ token: aToken, chat_number: digits })).toEqual({
      token: aToken,
      chat_number: Number(digits),
    });
  });

  test.for(['0', '01', '-1', '+1', '1.0', '1e3', ' 1', '1 ', '', 'x', '0x1', '１', '1\n'])(
    'the path number %j is refused',
    (digits) => {
      const params = { token: aToken, chat_number: digits, message_number: digits };
      const words = 'must be a whole number from 1';
      expect(faults(schemas.MessagePath(), params)).toEqual([`chat_number: ${words}`, `message_number: ${words}`]);
    },
  );

  test('a path number that is too large stays larger than every number of a resource', () => {
    const parsed = schemas.ChatPath().parse({ token: aToken, chat_number: '9'.repeat(500) });
    expect(parsed.chat_number).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('a limit is from 1 to the largest page', () => {
    const limitOf = (limit?: string) => schemas.PageQuery().parse({ limit }).limit;
    expect([limitOf(), limitOf('1'), limitOf('1000')]).toEqual([50, 1, 1_000]);
    expect(schemas.SearchQuery().parse({ q: 'x' }).limit).toBe(20);
    expect(schemas.SearchQuery().parse({ q: 'x', limit: '100' }).limit).toBe(100);
    for (const limit of ['0', '1001', '-1', '1.5', 'x', '', ' 5', '1e2', '9'.repeat(500)])
      expect(faults(schemas.PageQuery(), { limit })).toContain('limit: must be a whole number from 1 to 1000');
    expect(faults(schemas.SearchQuery(), { q: 'x', limit: '101' })).toEqual([
      'limit: must be a whole number from 1 to 100',
    ]);
  });

  test('the order is asc or desc', () => {
    expect(schemas.PageQuery().parse({}).order).toBe('asc');
    expect(schemas.PageQuery().parse({ order: 'desc' }).order).toBe('desc');
    for (const order of ['', 'DESC', 'random'])
      expect(faults(schemas.PageQuery(), { order })).toEqual(['order: must be asc or desc']);
  });

  test('after and before are whole numbers from 0', () => {
    expect(schemas.NumberedPageQuery().parse({ after: '0', before: '17' })).toMatchObject({ after: 0, before: 17 });
    expect(schemas.NumberedPageQuery().parse({ before: '9'.repeat(40) }).before).toBe(Number.MAX_SAFE_INTEGER);
    for (const value of ['-1', 'x', '', '1.5', '01'])
      expect(faults(schemas.NumberedPageQuery(), { after: value, before: value })).toEqual([
        'after: must be a whole number',
        'before: must be a whole number',
      ]);
  });

  test('a search text has 1 to 256 code points, of any kind', () => {
    for (const q of [' ', '*', '\u{1F600}'.repeat(256), 'x'.repeat(256), '\u0007', '"', '0'])
      expect(schemas.SearchQuery().parse({ q }).q).toBe(q);
    expect(faults(schemas.SearchQuery(), { q: '' })).toEqual(['q: must not be empty']);
    expect(faults(schemas.SearchQuery(), {})).toEqual(['q: is required']);
    for (const q of ['x'.repeat(257), '\u{1F600}'.repeat(257)])
      expect(faults(schemas.SearchQuery(), { q })).toEqual(['q: must have at most 256 characters']);
  });
});

describe('an Idempotency-Key', () => {
  test.for([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['a b~!', 'a b~!'],
    ['"a"b"', 'a"b'],
    ['"', '"'],
    ['a"', 'a"'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ] as const)('the Idempotency-Key %j is parsed as %j', ([given, key]) => {
    expect(schemas.idempotencyKey().parse(given)).toBe(key);
  });

  test.for(['', '""', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'é', 'a\tb', 'a\u007f', 'a\nb', '\u{1F600}'])(
    'the Idempotency-Key %j is refused',
    (given) => {
      expect(faults(schemas.idempotencyKey(), given)).toEqual([': must be 1 to 255 printable ASCII characters']);
    },
  );
});
