import { beforeEach, vi } from 'vitest';

/**
 * Restores the real timers and clock.
 *
 * @throws Error when they were not the real ones
 */
export function restoreTimers(): void {
  if (vi.getMockedSystemTime() === null) return;
  vi.useRealTimers();
  throw new Error('The test left fake timers on. Call vi.useRealTimers() after it.');
}

// Files that run in the same worker share its timers, so fake ones would stay for the files that follow. The cleanup of
// the hook that was registered first runs last, after those of the test file.
beforeEach(() => restoreTimers);
