import { expect, test } from 'vitest';
import { ReadingPaces } from '../../local/reading-pace.ts';

const taking = (ms: number) => ({ runMs: ms, cpuMs: ms });

test('an application is unknown until a read of it ends, and then has the average pace of its reads', () => {
  const paces = new ReadingPaces();
  expect(paces.of('A')).toBe('unknown');
  paces.note('A', taking(25));
  paces.note('B', taking(26));
  expect(['A', 'B', 'C'].map((name) => paces.of(name))).toEqual(['fast', 'slow', 'unknown']);
  paces.note('A', taking(26));
  paces.note('B', taking(20));
  expect(['A', 'B'].map((name) => paces.of(name))).toEqual(['slow', 'fast']);
});

test('an application stays slow while every tenth of its reads takes a second', () => {
  const paces = new ReadingPaces();
  for (let i = 0; i < 100; i++) {
    paces.note('A', taking(i % 10 === 0 ? 1_000 : 5));
    expect(paces.of('A')).toBe('slow');
  }
});

test('a read costs at least a tenth of the time that it runs', () => {
  const paces = new ReadingPaces();
  paces.note('on a busy machine', { runMs: 200, cpuMs: 10 });
  paces.note('from a slow disk', { runMs: 300, cpuMs: 10 });
  expect([paces.of('on a busy machine'), paces.of('from a slow disk')]).toEqual(['fast', 'slow']);
});

test('of 10,001 applications, the one whose last read is oldest is forgotten', () => {
  const paces = new ReadingPaces();
  for (let i = 0; i < 10_000; i++) paces.note(`${i}`, taking(1));
  paces.note('0', taking(1));
  paces.note('one more', taking(1));
  expect(['0', '1', '2', 'one more'].map((name) => paces.of(name))).toEqual(['fast', 'unknown', 'fast', 'fast']);
});
