import { beforeEach, vi } from 'vitest';

const { setTimeout, setInterval, setImmediate } = globalThis;
const real = { setTimeout, setInterval, setImmediate, Date: globalThis.Date };

/**
 * Restores the real timers and clock.
 *
 * @throws Error when they were not the real ones
 */
export function restoreTimers(): void {
  const isFake = vi.getMockedSystemTime() !== null;
  if (isFake) vi.useRealTimers();
  // If an earlier test, even in another file, spied on a fake timer, vi.restoreAllMocks() brings that timer back.
  const isOther = Object.entries(real).some(([name, value]) => globalThis[name as keyof typeof real] !== value);
  Object.assign(globalThis, real);
  if (isFake || isOther)
    throw new Error(
      'This test, or the one before it, left fake timers on. Call vi.useRealTimers() after it, and restore spies on them before.',
    );
}

// Files that run in the same worker share its timers, so fake ones would stay for the files that follow. The cleanup of
// the hook that was registered first runs last, after those of the test file.
beforeEach(() => {
  // What runs after that cleanup may have left fake ones, too.
  restoreTimers();
  return restoreTimers;
});
