import { expect, test } from 'vitest';
import { steadyClock } from '../../lib/steady-clock.ts';
import { newClock } from '../support/basics/clock.ts';

test('a steady clock continues from the latest time in the file, in whole milliseconds, and never goes back', () => {
  const elapsed = newClock(12.7);
  const now = steadyClock(1_000, elapsed);
  expect(now()).toBe(1_000);
  elapsed.advance(0.5);
  expect(now()).toBe(1_000);
  elapsed.advance(0.5);
  expect(now()).toBe(1_001);
  elapsed.advance(40 * 24 * 60 * 60 * 1_000);
  expect(now()).toBe(1_001 + 40 * 24 * 60 * 60 * 1_000);
  elapsed.advance(-60_000);
  expect(now()).toBe(1_001 + 40 * 24 * 60 * 60 * 1_000);
  elapsed.advance(1_000);
  expect(now()).toBe(2_001 + 40 * 24 * 60 * 60 * 1_000);
});
