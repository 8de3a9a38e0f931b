import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { every } from '../../local/schedule.ts';

setLogLevel('silent');
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('scheduled work is repeated until it is stopped', async () => {
  let runs = 0;
  const schedule = every(1_000, 'test', async () => runs++);
  await vi.advanceTimersByTimeAsync(3_500);
  expect(runs).toBe(3);
  schedule.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs).toBe(3);
});

test('a run starts only after the previous one has ended', async () => {
  let [runs, inside] = [0, 0];
  const schedule = every(1_000, 'test', async () => {
    runs++;
    expect(++inside).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    inside--;
  });
  await vi.advanceTimersByTimeAsync(19_500);
  schedule.stop();
  expect(runs).toBe(4);
});

test('a run that fails is repeated like any other', async () => {
  let runs = 0;
  const schedule = every(1_000, 'test', async () => {
    runs++;
    throw new Error('the store is out');
  });
  await vi.advanceTimersByTimeAsync(3_500);
  schedule.stop();
  expect(runs).toBe(3);
});

test('a schedule that is stopped during a run starts no other', async () => {
  let runs = 0;
  const schedule = every(1_000, 'test', async () => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  });
  await vi.advanceTimersByTimeAsync(2_000);
  schedule.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toBe(1);
});
