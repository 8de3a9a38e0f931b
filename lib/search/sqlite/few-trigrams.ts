/**
 * Maximum number of trigrams in a condition that finds all candidates. Scanning a fourth list costs more than reading the
 * texts that it would exclude.
 */
const maxTrigrams = 3;

/** Reading a text takes 4 µs, about as long as 200 steps through the lists of trigrams. */
const stepsPerText = 200;

/** Returns a text as a string in FTS5's query language. */
export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/**
 * Returns the condition, in FTS5's query language, that some of the query's trigrams are near each other. Every text
 * that contains the query meets it, and hardly any other does, because the chosen trigrams are rare, especially
 * together. It does not name all trigrams, because FTS5 scans the list of each, and the list of a common one has
 * hundreds of thousands of entries.
 *
 * @param folded the folded query, at least three code points
 * @param sample folded texts like those to be searched; they affect only the speed, never the result
 * @param most maximum number of trigrams
 */
export function fewTrigrams(folded: string, sample: string[], most = maxTrigrams): string {
  const chosen = chosenTrigrams(folded, sample, most);
  const places = [...chosen.values()];
  const trigrams = [...chosen.keys()].map(quoted);
  // The number of other trigrams between the first chosen one and the last.
  const between = Math.max(...places) - Math.min(...places) - 1;
  return trigrams.length === 1 ? String(trigrams[0]) : `NEAR(${trigrams.join(' ')}, ${between})`;
}

/** Returns the condition that the same trigrams are anywhere in a text. FTS5 compares no positions for it. */
export const fewTrigramsAnywhere = (folded: string, sample: string[]): string =>
  [...chosenTrigrams(folded, sample, maxTrigrams).keys()].map(quoted).join(' AND ');

/** Returns the chosen trigrams and the position of each in the query. */
function chosenTrigrams(folded: string, sample: string[], most: number): Map<string, number> {
  const points = [...folded];
  const candidates = new Map<string, { at: number; texts: number[] }>();
  for (let at = 0; at + 3 <= points.length; at++) {
    const trigram = points.slice(at, at + 3).join('');
    if (candidates.has(trigram)) continue;
    candidates.set(trigram, { at, texts: sample.flatMap((text, i) => (text.includes(trigram) ? [i] : [])) });
  }
  const chosen = new Map<string, number>();
  let together = new Set(sample.keys());
  while (chosen.size < Math.min(most, candidates.size)) {
    let best: { trigram: string; at: number; texts: number[]; cost: number } | undefined;
    for (const [trigram, { at, texts }] of candidates) {
      if (chosen.has(trigram)) continue;
      const cost =
        stepsPerText * texts.filter((text) => together.has(text)).length + texts.length + overlap(at, chosen);
      if (!best || cost < best.cost) best = { trigram, at, texts, cost };
    }
    if (!best) break;
    chosen.set(best.trigram, best.at);
    together = new Set(best.texts.filter((text) => together.has(text)));
  }
  return chosen;
}

/** Breaks ties: a trigram that shares characters with a chosen one is less selective than one that does not. */
const overlap = (at: number, chosen: Map<string, number>): number =>
  [...chosen.values()].some((other) => Math.abs(other - at) < 3) ? 0.5 : 0;
