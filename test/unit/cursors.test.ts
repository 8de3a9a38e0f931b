import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { decodeCursor, encodeCursor } from '../../lib/api/cursors.ts';
import { Problem } from '../../lib/api/problems.ts';

const list = ['listChats', 'token', 'asc', null, null];
const position = z.tuple([z.int(), z.string()]);

/** Whether a cursor is refused as the contract says: 422, naming the parameter. */
const isRefused = (cursor: string, of: readonly unknown[] = list) => {
  try {
    decodeCursor(of, cursor, position);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'validation_failed', errors: [{ pointer: 'cursor' }] });
    return true;
  }
};

test('a cursor brings its position back, whatever the list and the position are', () => {
  const scalars = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null));
  fc.assert(
    fc.property(fc.array(scalars), fc.maxSafeInteger(), fc.string({ unit: 'binary' }), (of, number, text) => {
      const cursor = encodeCursor(of, [number, text]);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodeCursor(of, cursor, position)).toEqual([number, text]);
    }),
  );
});

test('without a cursor there is no position', () => {
  expect(decodeCursor(list, undefined, position)).toBeUndefined();
});

describe('refused is', () => {
  test.for([
    ['operation', ['searchChat', 'token', 'asc', null, null]],
    ['application', ['listChats', 'other', 'asc', null, null]],
    ['order', ['listChats', 'token', 'desc', null, null]],
    ['filter', ['listChats', 'token', 'asc', 7, null]],
    ['other filter', ['listChats', 'token', 'asc', null, 7]],
    ['length', ['listChats', 'token', 'asc', null]],
  ] as const)('the cursor of a list of another %s', ([, other]) => {
    expect(isRefused(encodeCursor(list, [1, 'x']), other)).toBe(true);
  });

  test('a cursor that is changed anywhere', () => {
    const cursor = encodeCursor(list, [1_234, 'abc']);
    for (let i = 0; i < cursor.length; i++)
      for (const other of 'AZaz09-_=.')
        if (cursor[i] !== other) expect(isRefused(cursor.slice(0, i) + other + cursor.slice(i + 1))).toBe(true);
    for (let i = 0; i < cursor.length; i++) expect(isRefused(cursor.slice(0, i))).toBe(true);
    for (const more of ['A', '=', '==', ' ', '%00', '\n']) expect(isRefused(cursor + more)).toBe(true);
  });

  test('a cursor that is changed in several places, or made anew from what is in it', () => {
    const cursor = encodeCursor(list, [1_234, 'abc']);
    const json = Buffer.from(cursor, 'base64url').toString();
    const alphabet = fc.constantFrom(...'ABCxyz019-_=+/.~ é"[],');
    const edits = fc.array(fc.tuple(fc.nat(json.length), fc.nat(3), fc.string({ unit: alphabet, maxLength: 3 })), {
      minLength: 1,
      maxLength: 4,
    });
    const applied = (text: string, changes: [number, number, string][]) =>
      changes.reduce((now, [at, gone, more]) => now.slice(0, at) + more + now.slice(at + gone), text);
    fc.assert(
      fc.property(edits, (changes) => {
        const remade = Buffer.from(applied(json, changes)).toString('base64url');
        for (const changed of [applied(cursor, changes), remade])
          expect(changed === cursor || isRefused(changed), changed).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    for (const same of [` ${json}`, json.replace(',', ', '), json.replace('1234', '1.234e3'), `${json}\n`])
      expect(isRefused(Buffer.from(same).toString('base64url')), same).toBe(true);
  });

  test('any text at all', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => isRefused(text)));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => isRefused(Buffer.from(JSON.stringify(value)).toString('base64url'))),
    );
  });

  test.for(['', 'null', '[]', 'W10', 'bnVsbA', 'eyJ9', '\u{1F600}', 'x'.repeat(100_000), 'WyIiXQ', 'WzEsMiwzXQ'])(
    'what is no cursor at all: %j',
    (cursor) => {
      expect(isRefused(cursor)).toBe(true);
    },
  );

  test('a position of another form, though its checksum is right', () => {
    expect(isRefused(encodeCursor(list, ['x', 1]))).toBe(true);
    expect(isRefused(encodeCursor(list, [1]))).toBe(true);
    expect(isRefused(encodeCursor(list, [1.5, 'x']))).toBe(true);
  });
});
