import { describe, expect, test } from 'vitest';
import { coveredWindow, pendingWindow } from '../../functions/api/shared/pending-window.ts';

const items = (...numbers: number[]) => numbers.map((number) => ({ number }));

describe('the window of a page', () => {
  test.for([
    {
      name: 'an ascending list without a cursor covers the numbers from 1',
      order: 'asc',
      page: [3, 5],
      covered: [1, 5],
    },
    {
      name: 'a list after a number covers the numbers after it',
      order: 'asc',
      after: 2,
      page: [4, 5],
      covered: [3, 5],
    },
    {
      name: 'a later page of a list after a number covers the numbers after its cursor',
      order: 'asc',
      after: 2,
      from: 5,
      page: [8],
      covered: [6, 8],
    },
    {
      name: 'a descending list without a cursor covers the numbers from its first message',
      order: 'desc',
      page: [9, 6],
      covered: [9, 6],
    },
    {
      name: 'a descending page ends at its last message, not at `after`',
      order: 'desc',
      after: 2,
      page: [9, 6],
      covered: [9, 6],
    },
    {
      name: 'a later page of a descending list covers the numbers below its cursor',
      order: 'desc',
      from: 9,
      page: [6, 5],
      covered: [8, 5],
    },
  ] as const)('$name', ({ order, page, covered: [first, last], ...start }) => {
    const { after, from } = { after: undefined, from: undefined, ...start };
    expect(coveredWindow(items(...page), { order, after }, from)).toEqual({ first, last });
  });

  test('an empty page covers no numbers', () => {
    expect(coveredWindow([], { order: 'asc' }, 7)).toBeUndefined();
  });
});

describe('a page with at most 2 pending numbers', () => {
  test.for([
    {
      name: 'a page without missing numbers stays whole',
      page: { first: 1, last: 3, stored: [1, 2, 3], more: true },
      missing: [],
      expected: { stored: [1, 2, 3], pending: [], last: 3, more: true },
    },
    {
      name: 'a page that can name all missing numbers stays whole',
      page: { first: 1, last: 4, stored: [1, 4], more: false },
      missing: [2, 3],
      expected: { stored: [1, 4], pending: [2, 3], last: 4, more: false },
    },
    {
      name: 'a page ends before the first missing number that it cannot name',
      page: { first: 1, last: 9, stored: [1, 3, 5, 6, 9], more: false },
      missing: [2, 4, 7],
      expected: { stored: [1, 3, 5, 6], pending: [2, 4], last: 6, more: true },
    },
    {
      name: 'a descending page ends above the first missing number that it cannot name',
      page: { first: 9, last: 1, stored: [9, 7, 4, 1], more: false },
      missing: [8, 6, 5],
      expected: { stored: [9, 7], pending: [8, 6], last: 6, more: true },
    },
    {
      name: 'a page has pending numbers only when no message precedes the one that it cannot name',
      page: { first: 1, last: 8, stored: [8], more: true },
      missing: [1, 2, 3],
      expected: { stored: [], pending: [1, 2], last: 2, more: true },
    },
  ])('$name', ({ page: { stored, ...page }, missing, expected }) => {
    const read = Object.freeze({ ...page, items: Object.freeze(items(...stored)), maxPending: 2 });
    const { stored: left, ...rest } = expected;
    expect(pendingWindow(read, Object.freeze(missing))).toEqual({ ...rest, items: items(...left) });
  });
});
