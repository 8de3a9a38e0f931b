import { foldRuns } from './fold-table.ts';

const folded = new Map<string, string>();
for (const [first, last, step, distance] of foldRuns)
  for (let point = first; point <= last; point += step)
    folded.set(String.fromCodePoint(point), String.fromCodePoint(point + distance));

const foldable = new RegExp(
  `[${foldRuns
    .map(([first, last, step]) =>
      step === 1
        ? `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`
        : [...folded.keys()]
            .filter((character) => {
              const point = character.codePointAt(0) as number;
              return point >= first && point <= last;
            })
            .join(''),
    )
    .join('')}]`,
  'gu',
);

/** In such a text, folding is the same as lower case, which takes V8 a fraction of the time. */
const isAscii = /^[\0-\x7f]*$/;

/**
 * Folds a text for case-insensitive comparison, on both engines: Unicode simple case folding (statuses C and S of
 * CaseFolding.txt), code point by code point. Two texts match when their folded forms are equal, as with a regular
 * expression with the flags `iu`.
 *
 * Every code point becomes one code point of the same length in UTF-16, so a position in the folded text is the same
 * position in the text. So `ß` equals `ẞ` but not `ss`, `İ` equals only itself, and `ς`, `σ` and `Σ` are all equal.
 */
export const fold = (text: string): string =>
  isAscii.test(text) ? text.toLowerCase() : text.replace(foldable, (character) => folded.get(character) as string);

const targets = new Set(folded.values());

/**
 * Returns whether a character of the folded text has other case variants. If none has, only a literal occurrence
 * matches.
 */
export const hasOtherCases = (text: string): boolean => [...text].some((character) => targets.has(character));
