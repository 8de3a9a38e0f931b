import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grams } from '../../lib/search/sqlite/grams.ts';

/** The definition, character by character. */
function expected(text: string): string[] {
  const spelled = [...text].map((character) => (character.codePointAt(0) as number).toString(16));
  return [...new Set([...spelled, ...spelled.slice(1).map((point, i) => `${spelled[i]}x${point}`)])].toSorted();
}

const character = fc.oneof(
  fc.constantFrom('a', 'b', '\x7f', '\x80', 'é', 'ж', '中', '😀'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\0'),
);

test('the grams of a text are its code points and its pairs of neighbours, each once', () => {
  fc.assert(
    fc.property(fc.array(character, { maxLength: 60 }), (characters) => {
      const text = characters.join('');
      expect(grams(text).toSorted()).toEqual(expected(text));
    }),
    { numRuns: 1_000 },
  );
});

test('the last gram of a text with one or two code points is the whole text', () => {
  fc.assert(
    fc.property(character, fc.option(character, { nil: '' }), (first, second) => {
      const points = [...(first + second)].map((one) => (one.codePointAt(0) as number).toString(16));
      expect(grams(first + second).at(-1)).toBe(points.join('x'));
    }),
  );
});
