/** Scanning more lists costs more than reading fewer texts saves. */
const mostTrigrams = 3;

/** To read a text takes about as long as 200 steps through the lists of trigrams: 4 µs. */
const stepsPerText = 200;

/** A string in FTS5's query language. */
export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/**
 * Returns the condition, in FTS5's query language, that some of a text's trigrams are near each other. It holds wherever
 * the whole text is, and hardly anywhere else, because the trigrams are chosen to be rare, above all together. It does
 * not name all of them: FTS5 walks through the list of each, and that of a common one has hundreds of thousands of
 * entries.
 *
 * @param folded has three code points or more
 * @param sample folded texts that are like those to be searched; what they are decides how fast it is, and nothing else
 */
export function fewTrigrams(folded: string, sample: string[]): string {
  const chosen = chosenTrigrams(folded, sample);
  const places = [...chosen.values()];
  const trigrams = [...chosen.keys()].map(quoted);
  // How many other trigrams may stand between the first of them and the last.
  const between = Math.max(...places) - Math.min(...places) - 1;
  return trigrams.length === 1 ? String(trigrams[0]) : `NEAR(${trigrams.join(' ')}, ${between})`;
}

/** Returns the condition that the same trigrams are anywhere in a text, for which FTS5 compares no positions. */
export const fewTrigramsAnywhere = (folded: string, sample: string[]): string =>
  [...chosenTrigrams(folded, sample).keys()].map(quoted).join(' AND ');

/** The chosen trigrams, and where in the text each is. */
function chosenTrigrams(folded: string, sample: string[]): Map<string, number> {
  const points = [...folded];
  const held = new Map<string, { at: number; texts: number[] }>();
  for (let at = 0; at + 3 <= points.length; at++) {
    const trigram = points.slice(at, at + 3).join('');
    if (held.has(trigram)) continue;
    held.set(trigram, { at, texts: sample.flatMap((text, i) => (text.includes(trigram) ? [i] : [])) });
  }
  const chosen = new Map<string, number>();
  let together = new Set(sample.keys());
  while (chosen.size < Math.min(mostTrigrams, held.size)) {
    let best: { trigram: string; at: number; texts: number[]; cost: number } | undefined;
    for (const [trigram, { at, texts }] of held) {
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

/** Decides between equals: trigrams that share characters say less than those that don't. */
const overlap = (at: number, chosen: Map<string, number>): number =>
  [...chosen.values()].some((other) => Math.abs(other - at) < 3) ? 0.5 : 0;
