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
