import { expect, test } from 'vitest';
import { ReadingPaces } from '../../local/reading-pace.ts';

test('an application is unknown until a read of it ends, and then as fast as its reads', () => {
  const paces = new ReadingPaces();
  expect(paces.of('A')).toBe('unknown');
  paces.note('A', 200, 0);
  paces.note('B', 201, 0);
  expect(['A', 'B', 'C'].map((name) => paces.of(name))).toEqual(['fast', 'slow', 'unknown']);
});

test('an application that is slow stays so until a read is fast a minute later, however long it reads nothing', () => {
  const paces = new ReadingPaces();
  paces.note('A', 1_000, 0);
  paces.note('A', 1, 59_999);
  expect(paces.of('A')).toBe('slow');
  paces.note('A', 1_000, 600_000);
  expect(paces.of('A')).toBe('slow');
  paces.note('A', 1, 660_000);
  expect(paces.of('A')).toBe('fast');
});

test('the application that has read nothing for longest is forgotten when there are 10,001', () => {
  const paces = new ReadingPaces();
  for (let i = 0; i < 10_000; i++) paces.note(`${i}`, 1, i);
  paces.note('0', 1, 10_000);
  paces.note('one more', 1, 10_001);
  expect(['0', '1', '2', 'one more'].map((name) => paces.of(name))).toEqual(['fast', 'unknown', 'fast', 'fast']);
});
