import { AsyncLocalStorage } from 'node:async_hooks';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import FakeTimers from '@sinonjs/fake-timers';
import { random, seed as seedChance } from './chance.ts';

// Importing this file makes time and chance in this process the simulation's own: the clock stands still until it is
// moved to the next timer, and everything random follows from one seed. So a seed replays exactly.

/** Every simulation begins at this time, in milliseconds since 1970. */
const startTime = Date.UTC(2026, 10, 21);

const realSetImmediate = setImmediate;
const clock = FakeTimers.install({
  now: startTime,
  toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
});

/** By how many milliseconds the clock of the process is ahead whose code runs; none outside a process. */
const clockError = new AsyncLocalStorage<number>();
Date.now = () => clock.now + (clockError.getStore() ?? 0);

/** The time that no process's clock changes, in milliseconds since 1970. */
export const trueTime = (): number => clock.now;

/**
 * Runs the work on a machine whose system clock is ahead by so many milliseconds. The services that it calls keep the true
 * time, because their effects come from timers.
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

/** Begins a simulation: nothing is left of the one before. */
export function restart(seed: number): void {
  clock.reset();
  seedChance(seed);
}

/** Moves the clock to the next timer and lets everything happen that follows from it. */
export async function step(): Promise<void> {
  clock.next();
  // Promises are done with before the event loop's next turn, whatever their chains.
  await new Promise((resolve) => realSetImmediate(resolve));
}

/** Moves the clock by so many milliseconds at once; only for when nothing is under way. */
export const leap = (milliseconds: number): void => clock.setSystemTime(clock.now + milliseconds);

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
