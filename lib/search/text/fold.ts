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

/**
 * What "without regard to case" means, on both engines: Unicode simple case folding (statuses C and S of
 * CaseFolding.txt), one code point at a time. Two texts match when their folded forms are the same; this is what a
 * regular expression with the flags `iu` does.
 *
 * Every code point becomes exactly one code point with as many UTF-16 units, so positions in the folded text are
 * positions in the text. Hence `ß` equals `ẞ` but not `ss`, `İ` equals only itself, and `ς`, `σ` and `Σ` are all equal.
 */
export const fold = (text: string): string => text.replace(foldable, (character) => folded.get(character) as string);

const targets = new Set(folded.values());

/** Whether a character of the folded text has other case variants. Only then can a text match without containing it literally. */
export const hasOtherCases = (text: string): boolean => [...text].some((character) => targets.has(character));
