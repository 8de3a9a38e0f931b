import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import FakeTimers from '@sinonjs/fake-timers';
import { random, seed as seedChance } from './chance.ts';

// Importing this file replaces time and randomness in this process with the simulation's: the clock stands still until
// it is moved to the next timer, and one seed determines everything random. So a seed replays exactly.

/** The time at which every simulation starts, in milliseconds since 1970. */
const startTime = Date.UTC(2026, 10, 21);

const realSetImmediate = setImmediate;
const clock = FakeTimers.install({
  now: startTime,
  toFake: [
    'Date',
    'performance',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ],
});

/** The shortest interval in milliseconds. Shorter ones fire late, as in a busy process, because each takes a step. */
const shortestIntervalMs = 5_000;
const exactInterval = setInterval;
Object.assign(globalThis, {
  setInterval: (work: () => void, milliseconds: number) =>
    exactInterval(work, Math.max(milliseconds, shortestIntervalMs)),
});

/** How many milliseconds the clock of the running process is ahead; 0 outside of a process. */
const clockError = new AsyncLocalStorage<number>();
Date.now = () => clock.now + (clockError.getStore() ?? 0);

/** Returns the time without any process's clock error, in milliseconds since 1970. */
export const trueTime = (): number => clock.now;

/**
 * Runs the work on a machine whose system clock is this many milliseconds ahead. The services that it calls have the
 * true time, because they run in fake timers, which do not keep the async context of the work.
 */
export const onClockAhead = <Result>(milliseconds: number, work: () => Result): Result =>
  clockError.run(milliseconds, work);

const hex = (bytes: number): string => {
  let digits = '';
  while (digits.length < 2 * bytes)
    digits += Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return digits.slice(0, 2 * bytes);
};

Math.random = () => random.next();
Object.assign(crypto, {
  randomInt: (below: number) => random.between(0, below - 1),
  randomUUID: () => `${hex(4)}-${hex(2)}-${hex(2)}-${hex(2)}-${hex(6)}`,
  randomBytes: (bytes: number) => Buffer.from(hex(bytes), 'hex'),
});
syncBuiltinESMExports();

/** Starts a simulation, with nothing left of the previous one. */
export function restart(seed: number): void {
  clock.reset();
  seedChance(seed);
}

/** Moves the clock to the next timer, and waits for everything that follows from it. */
export async function step(): Promise<void> {
  clock.next();
  // All chains of promises are complete before the event loop's next turn.
  await new Promise((resolve) => realSetImmediate(resolve));
}

/** Moves the clock by a millisecond, and waits for everything that follows from the timers that are due by then. */
export async function tick(): Promise<void> {
  clock.tick(1);
  await new Promise((resolve) => realSetImmediate(resolve));
}

/** Moves the clock by this many milliseconds at once. Only allowed when nothing is in progress. */
export const leap = (milliseconds: number): void => clock.setSystemTime(clock.now + milliseconds);

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
