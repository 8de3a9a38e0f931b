import { describe, expect, test } from 'vitest';
import type { Measurement } from '../../tools/bench/figure.ts';
import { inputsFrom } from '../../tools/cost/inputs.ts';

describe('measured inputs', () => {
  const result = (figure: string, measurement: Measurement) => ({
    [figure]: { circumstances: { date: '', commit: '', machine: '', node: '' }, measurements: [measurement] },
  });

  test('an input is taken from its figure when there is one', () => {
    const what = 'processor time of a create';
    const from = inputsFrom(result('function-cpu', { what, unit: 'ms', values: [3, 1, 2] }));
    expect(from.inputs.createCpuMs).toBe(2);
    expect(from.unmeasured).not.toContain('createCpuMs');
    expect(from.unmeasured).toContain('storeMessageMs');
  });

  test('the input from a rate is the time of one message', () => {
    const what = 'the worker, for 1,000 records of one message';
    const from = inputsFrom(result('store-worker', { what, unit: 'messages/s', values: [20_000] }));
    expect(from.inputs.storeMessageMs).toBe(0.05);
  });

  test('an input is refused when its figure no longer has the measurement', () => {
    expect(() => inputsFrom(result('function-cpu', { what: 'something else', unit: 'ms', values: [1] }))).toThrow(
      /function-cpu has no/,
    );
  });
});
