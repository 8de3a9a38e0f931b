import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rounds } from '../../local/feed/rounds.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

test('each thing is visited once in every round, from a round after it was added until it is deleted', () => {
  const visits: string[] = [];
  const rounds = new Rounds<string>(30_000, (thing) => visits.push(thing));
  rounds.add('a');
  vi.advanceTimersByTime(10_000);
  rounds.add('b');
  vi.advanceTimersByTime(19_500);
  expect(visits).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(visits).toEqual(['a']);
  vi.advanceTimersByTime(10_000);
  expect(visits).toEqual(['a', 'b']);
  rounds.delete('a');
  vi.advanceTimersByTime(60_000);
  expect(visits).toEqual(['a', 'b', 'b', 'b']);
  rounds.delete('b');
  expect(vi.getTimerCount()).toBe(0);
});

test('things that were added over some time are visited over the same length of time, and not all at once', () => {
  const visits: number[] = [];
  const rounds = new Rounds<number>(1_000, () => visits.push(performance.now()));
  for (let i = 0; i < 10; i++) {
    rounds.add(i);
    vi.advanceTimersByTime(100);
  }
  vi.advanceTimersByTime(2_000);
  expect(new Set(visits).size).toBe(visits.length);
});
