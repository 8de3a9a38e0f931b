import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { batchRates } from '../../tools/cost/batching.ts';

describe('the batches that a queue gives its worker', () => {
  const source = { pollers: 5, roundTripMs: 10 };
  const size = (batchSize: number, seconds: number) => ({ batchSize, window: Duration.seconds(seconds) });

  test('at 10 messages a second each poller gets 2, after the one that starts its batch', () => {
    const { perInvocation, ...rates } = batchRates({ perSecond: 10, bytes: 200 }, size(1_000, 1), source);
    expect(perInvocation).toBeCloseTo(3);
    expect(rates.invocationsPerSecond).toBeCloseTo(10 / 3);
    expect(rates.receivesPerSecond).toBeCloseTo(10);
    expect(rates.deletesPerSecond).toBeCloseTo(10 / 3);
  });

  test('at 1,000 messages a second each poller gets 200, two a call, and deletes 202 in 21 calls', () => {
    const { perInvocation, ...rates } = batchRates({ perSecond: 1_000, bytes: 200 }, size(1_000, 1), source);
    expect(perInvocation).toBeCloseTo(202);
    expect(rates.receivesPerSecond).toBeCloseTo(500);
    expect(rates.deletesPerSecond).toBeCloseTo((1_000 / 202) * 21);
  });

  test('without a window, a batch is the result of one call', () => {
    expect(batchRates({ perSecond: 10, bytes: 200 }, size(1_000, 0), source).perInvocation).toBe(1);
    expect(batchRates({ perSecond: 100_000, bytes: 200 }, size(1_000, 0), source).perInvocation).toBe(10);
  });

  test('a batch ends at its size, at 6 MB, or after the calls of ten messages that fit into the window', () => {
    expect(batchRates({ perSecond: 10_000, bytes: 200 }, size(100, 1), source).perInvocation).toBe(100);
    // 6 × 1,048,576 / 190,000 = 33.1
    expect(batchRates({ perSecond: 100, bytes: 190_000 }, size(1_000, 5), source).perInvocation).toBe(33);
    // 100 calls in a second, and the first one: 1,010.
    expect(batchRates({ perSecond: 1e6, bytes: 200 }, size(10_000, 1), source).perInvocation).toBe(1_010);
  });
});
