import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containing } from '../../lib/search/sqlite/containing.ts';
import { expectProcessorTime } from '../support/basics/processor-time.ts';

const fewLetters = fc.string({ unit: fc.constantFrom('a', 'b', '\u{1F600}'), minLength: 0, maxLength: 700 });

test('a text contains a query exactly when String.includes says so, however long both are', () => {
  const periodic = fc
    .tuple(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 300 }))
    .map(([unit, count]) => unit.repeat(count));
  const text = fc.oneof(
    fewLetters,
    periodic,
    fc.tuple(periodic, fc.constantFrom('b', 'c'), periodic).map((x) => x.join('')),
  );
  const part = fc.tuple(text, fc.nat(400), fc.nat(600)).map(([from, at, length]) => from.slice(at, at + length));
  fc.assert(
    fc.property(text, fc.oneof(text, part), (body, q) => {
      expect(containing(q)(body)).toBe(body.includes(q));
      const inside = body.slice(body.length >> 2);
      expect(containing(inside)(body)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a long query is not compared completely at every position of a text', () => {
  const text = 'a'.repeat(1_000_000);
  const query = `aaaaab${'a'.repeat(250)}`;
  const contains = containing(query);
  const ms = (work: () => unknown) => {
    const startedAt = process.cpuUsage();
    work();
    return process.cpuUsage(startedAt).user / 1_000;
  };
  expect(contains(text)).toBe(false);
  // `includes` takes 250 ms.
  expectProcessorTime(
    ms(() => contains(text)),
    100,
  );
});
