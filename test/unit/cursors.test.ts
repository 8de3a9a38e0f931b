import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { Cursors } from '../../lib/api/cursors.ts';
import { Problem } from '../../lib/api/problems.ts';
import { derivedKey, fixedSecret, type SystemKey } from '../../lib/system-secret.ts';
import { oldCursor } from '../support/client/cursors.ts';

const list = ['listChats', { token: 'token' }, { order: 'asc' }];
const position = z.tuple([z.int(), z.string()]);
const secret = 's'.repeat(43);
const cursors = new Cursors(fixedSecret(secret));
const withKeys = (...keys: [key: string, signsFrom: number][]) =>
  new Cursors({ keys: async () => keys.map(([key, signsFrom]): SystemKey => ({ key, signsFrom })) });

/** Returns whether a cursor is refused as in the contract: 422, naming the parameter. */
const isRefused = async (cursor: string, of: unknown = list, by = cursors) => {
  try {
    await by.decode(of, cursor, position);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'validation_failed', errors: [{ pointer: 'cursor' }] });
    return true;
  }
};

test('a cursor decodes to its position, for any list and position', async () => {
  const scalars = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null));
  await fc.assert(
    fc.asyncProperty(
      fc.array(scalars),
      fc.maxSafeInteger(),
      fc.string({ unit: 'binary' }),
      async (of, number, text) => {
        const cursor = await cursors.encode(of, [number, text]);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(await cursors.decode(of, cursor, position)).toEqual([number, text]);
      },
    ),
  );
});

test('without a cursor there is no position, and the system secret is not read', async () => {
  const unreadable = new Cursors({ keys: () => Promise.reject(new Error('read')) });
  expect(await unreadable.decode(list, undefined, position)).toBeUndefined();
});

test('keys derived for different purposes differ from each other and from the secret', () => {
  const keys = [derivedKey(secret, 'cursors'), derivedKey(secret, 'other'), derivedKey(`${secret}s`, 'cursors')];
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(3);
  for (const key of keys) expect(key).toHaveLength(32);
});

describe('a system secret with several keys', () => {
  const [older, newer] = ['o'.repeat(43), 'n'.repeat(43)];
  const hourMs = 3_600_000;

  test('every key verifies, even one that does not sign yet', async () => {
    const all = withKeys([newer, Date.now() + hourMs], [older, 0]);
    for (const one of [older, newer]) {
      const cursor = await withKeys([one, 0]).encode(list, [1, 'x']);
      expect(await all.decode(list, cursor, position)).toEqual([1, 'x']);
    }
  });

  test('the oldest key signs when the system clock is behind all keys, and the cursor is accepted elsewhere', async () => {
    const behind = withKeys([newer, Date.now() + 2 * hourMs], [older, Date.now() + hourMs]);
    const cursor = await behind.encode(list, [1, 'a']);
    expect(await withKeys([newer, 0], [older, 0]).decode(list, cursor, position)).toEqual([1, 'a']);
  });

  test('the newest key whose time has come signs', async () => {
    const before = await withKeys([newer, Date.now() + hourMs], [older, 0]).encode(list, [1, 'x']);
    const after = await withKeys([newer, Date.now() - 1], [older, 0]).encode(list, [1, 'x']);
    expect([before, after]).toEqual([
      await withKeys([older, 0]).encode(list, [1, 'x']),
      await withKeys([newer, 0]).encode(list, [1, 'x']),
    ]);
  });

  test('a removed key no longer verifies', async () => {
    const cursor = await withKeys([older, 0]).encode(list, [1, 'x']);
    expect(await isRefused(cursor, list, withKeys([newer, 0]))).toBe(true);
  });
});

describe('a refused cursor', () => {
  test.for([
    ['operation', ['searchChat', { token: 'token' }, { order: 'asc' }]],
    ['application', ['listChats', { token: 'other' }, { order: 'asc' }]],
    ['order', ['listChats', { token: 'token' }, { order: 'desc' }]],
    ['filter', ['listChats', { token: 'token' }, { order: 'asc', after: 7 }]],
    ['path', ['listChats', { token: 'token', chat_number: 1 }, { order: 'asc' }]],
    ['length', ['listChats', { token: 'token' }]],
  ] as const)('the cursor of a list with another %s is refused', async ([, other]) => {
    expect(await isRefused(await cursors.encode(list, [1, 'x']), other)).toBe(true);
  });

  test('a cursor of another system, or of a release that signed without a key, is refused', async () => {
    expect(await isRefused(await new Cursors(fixedSecret('t'.repeat(43))).encode(list, [1, 'x']))).toBe(true);
    expect(await isRefused(oldCursor(list, [1, 'x']))).toBe(true);
  });

  test('a cursor with one changed character is refused', async () => {
    const cursor = await cursors.encode(list, [1_234, 'abc']);
    for (let i = 0; i < cursor.length; i++)
      for (const other of 'AZaz09-_=.')
        if (cursor[i] !== other) expect(await isRefused(cursor.slice(0, i) + other + cursor.slice(i + 1))).toBe(true);
    for (let i = 0; i < cursor.length; i++) expect(await isRefused(cursor.slice(0, i))).toBe(true);
    for (const more of ['A', '=', '==', ' ', '%00', '\n']) expect(await isRefused(cursor + more)).toBe(true);
  });

  test('a cursor that is changed in several places, or rebuilt from its content, is refused', async () => {
    const cursor = await cursors.encode(list, [1_234, 'abc']);
    const json = Buffer.from(cursor, 'base64url').toString();
    const alphabet = fc.constantFrom(...'ABCxyz019-_=+/.~ é"[],');
    const edits = fc.array(fc.tuple(fc.nat(json.length), fc.nat(3), fc.string({ unit: alphabet, maxLength: 3 })), {
      minLength: 1,
      maxLength: 4,
    });
    const applied = (text: string, changes: [number, number, string][]) =>
      changes.reduce((now, [at, gone, more]) => now.slice(0, at) + more + now.slice(at + gone), text);
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const remade = Buffer.from(applied(json, changes)).toString('base64url');
        for (const changed of [applied(cursor, changes), remade])
          expect(changed === cursor || (await isRefused(changed)), changed).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    for (const same of [` ${json}`, json.replace(',', ', '), json.replace('1234', '1.234e3'), `${json}\n`])
      expect(await isRefused(Buffer.from(same).toString('base64url')), same).toBe(true);
  });

  test('a random text is refused as a cursor', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), (text) => isRefused(text)));
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), (value) => isRefused(Buffer.from(JSON.stringify(value)).toString('base64url'))),
    );
  });

  test.for(['', 'null', '[]', 'W10', 'bnVsbA', 'eyJ9', '\u{1F600}', 'x'.repeat(100_000), 'WyIiXQ', 'WzEsMiwzXQ'])(
    'a text that is not a cursor is refused: %j',
    async (cursor) => {
      expect(await isRefused(cursor)).toBe(true);
    },
  );

  test('an authentic cursor with a position of the wrong form is refused', async () => {
    expect(await isRefused(await cursors.encode(list, ['x', 1]))).toBe(true);
    expect(await isRefused(await cursors.encode(list, [1]))).toBe(true);
    expect(await isRefused(await cursors.encode(list, [1.5, 'x']))).toBe(true);
  });
});
