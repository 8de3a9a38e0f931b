import { expect, test, vi } from 'vitest';
import { restoreTimers } from '../support/runner/real-timers.ts';

test('a test that leaves fake timers or a fake clock on fails, and the tests after it have the real ones', () => {
  const spied = () => {
    vi.useFakeTimers();
    vi.spyOn(globalThis, 'setTimeout');
    vi.useRealTimers();
    vi.restoreAllMocks();
  };
  const real = [globalThis.setTimeout, globalThis.Date];
  for (const fake of [() => vi.useFakeTimers(), () => vi.setSystemTime(0), spied]) {
    fake();
    expect(restoreTimers).toThrow('left fake timers on');
    expect([globalThis.setTimeout, globalThis.Date]).toEqual(real);
    restoreTimers();
  }
});
