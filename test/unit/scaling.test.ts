import { Duration } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { batchRates } from '../../tools/cost/batching.ts';
import { type Reading, simulate, simulateChain, type Working } from '../../tools/queue-simulation/simulate.ts';

const reading: Reading = { processes: 5, batchSize: 1_000, windowMs: 1_000, callMs: 10 };
const working: Working = { batchMs: 20, messageMs: 0, parallel: 2 };
const steady = (perSecond: number, untilMs: number) => ({ perSecond: () => perSecond, untilMs });

describe('a queue of the simulation', () => {
  test('the first message of a batch waits for the window and the work, and the others wait less', () => {
    // One message a second and five processes: nearly every message is alone in its batch.
    expect(simulate(steady(1, 60_000), reading, working, 1)).toMatchObject({ medianMs: 1_020, p99Ms: 1_020 });
    // A hundred messages for each process: half of them wait for less than half of the window.
    const { medianMs, p99Ms } = simulate(steady(500, 60_000), reading, working, 1);
    expect(medianMs).toBeGreaterThan(470);
    expect(medianMs).toBeLessThan(570);
    expect(p99Ms).toBeLessThanOrEqual(1_020);
  });

  test('a queue that processes 10 messages in 100 ms takes 9 s more for 1,000 messages of one second', () => {
    const slow = { processes: 1, batchSize: 10, windowMs: 0, callMs: 10 };
    const { batch, drainedMs, p99Ms, backlog } = simulate(steady(1_000, 1_000), slow, { ...working, batchMs: 100 }, 1);
    expect(batch).toBeGreaterThan(9.8);
    expect(drainedMs).toBeGreaterThan(8_000);
    expect(drainedMs).toBeLessThan(10_000);
    expect(Math.abs(p99Ms - drainedMs)).toBeLessThan(500);
    expect(backlog).toBeGreaterThan(800);
    expect(backlog).toBeLessThan(1_000);
  });

  test('each call returns ten messages, so the window ends before a large batch is full', () => {
    // 100 calls of 10 ms in the window, and the first one: 1,010.
    const one = { processes: 1, batchSize: 10_000, windowMs: 1_000, callMs: 10 };
    const { batch } = simulate(steady(10_000, 10_000), one, working, 1);
    expect(batch).toBeGreaterThan(950);
    expect(batch).toBeLessThanOrEqual(1_010);
  });

  test('twice the number of concurrent batches is no faster when the database works on one at a time', () => {
    const two = { processes: 2, batchSize: 10, windowMs: 0, callMs: 10 };
    const drained = (processes: number, parallel: number) =>
      simulate(steady(1_000, 1_000), { ...two, processes }, { batchMs: 0, messageMs: 10, parallel }, 1).drainedMs;
    expect(drained(2, 2)).toBeLessThan(0.6 * drained(1, 1));
    expect(drained(2, 1)).toBeGreaterThan(0.9 * drained(1, 1));
  });

  test('a simulation is the same for the same seed and different for another', () => {
    const once = simulate(steady(100, 10_000), reading, working, 1);
    expect(simulate(steady(100, 10_000), reading, working, 1)).toEqual(once);
    expect(simulate(steady(100, 10_000), reading, working, 2)).not.toEqual(once);
  });

  test('a queue that is never emptied is an error and not an endless simulation', () => {
    const stuck = { ...working, batchMs: 1e9 };
    expect(() => simulate(steady(1, 10_000), { ...reading, callMs: 10_000 }, stuck, 1)).toThrow(RangeError);
  });

  test.each([10, 100, 1_000])(
    'batches at %d messages a second have the size that the cost model calculates',
    (perSecond) => {
      const { perInvocation } = batchRates(
        { perSecond, bytes: 200 },
        { batchSize: reading.batchSize, window: Duration.millis(reading.windowMs) },
        { pollers: reading.processes, roundTripMs: reading.callMs },
      );
      const { batch } = simulate(steady(perSecond, 120_000), reading, working, 1);
      expect(batch / perInvocation).toBeGreaterThan(0.93);
      expect(batch / perInvocation).toBeLessThan(1.07);
    },
  );
});

describe('two queues in a row', () => {
  const fast: Reading = { processes: 5, batchSize: 10, windowMs: 0, callMs: 10 };

  test('the lag of two queues is the lag of the first one plus the time that the second one takes', () => {
    const first = { reading, working };
    const one = simulate(steady(100, 60_000), reading, working, 1);
    const { medianMs, p99Ms } = simulateChain(steady(100, 60_000), { first, second: { reading: fast, working } }, 1);
    expect(medianMs - one.medianMs).toBeGreaterThanOrEqual(20);
    expect(medianMs - one.medianMs).toBeLessThan(45);
    expect(p99Ms - one.p99Ms).toBeLessThan(60);
  });

  test('a window of the second queue adds to the lag', () => {
    const first = { reading: fast, working };
    const slow = { ...fast, batchSize: 100, windowMs: 1_000 };
    const without = simulateChain(steady(100, 60_000), { first, second: { reading: fast, working } }, 1);
    const withWindow = simulateChain(steady(100, 60_000), { first, second: { reading: slow, working } }, 1);
    expect(without.p99Ms).toBeLessThan(150);
    expect(withWindow.medianMs - without.medianMs).toBeGreaterThan(400);
  });
});
