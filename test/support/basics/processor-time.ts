import { expect } from 'vitest';

/** Processor time of {@link calculate} on the machine on which the tests' limits were chosen, in milliseconds. */
const usualMs = 5.5;

const value = Array.from({ length: 2_000 }, (_, i) => ({ number: i, text: `text ${i}`, list: [i, i + 1] }));

/** Calculates something that takes memory and processor time, and returns how much of the latter, in milliseconds. */
function calculate(): number {
  const startedAt = process.cpuUsage();
  for (let i = 0; i < 5; i++) (JSON.parse(JSON.stringify(value)) as typeof value).sort((a, b) => b.number - a.number);
  const { user, system } = process.cpuUsage(startedAt);
  return (user + system) / 1_000;
}

/**
 * Expects that something took little processor time. Where the machine is slower than usual at the moment, it may take
 * as many times longer. A virtual machine counts the time in which its host gives its processors to others as processor
 * time: what usually takes 20 ms once took 118 ms.
 *
 * @param ms its processor time, in milliseconds
 * @param mostMs how much it may take on a machine that is as fast as usual
 */
export function expectProcessorTime(ms: number, mostMs: number, what?: string): void {
  const slowness = ms < mostMs ? 1 : Math.max(1, Math.min(calculate(), calculate(), calculate()) / usualMs);
  expect(ms, what).toBeLessThan(mostMs * slowness);
}
