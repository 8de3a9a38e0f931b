/** A search, and how many of the texts it must find. */
export interface Probe {
  q: string;
  total: number;
}

/**
 * The fewest one-character searches, or nearly so, of which each text is found by at least one: when all have the totals
 * they must have, every text is in the index. One or two do for most languages, such as a space and a vowel.
 */
export function probes(texts: readonly string[]): Probe[] {
  const found: Probe[] = [];
  for (let rest = texts; rest.length > 0; ) {
    const q = mostFrequent(rest);
    // The contract's own words for what a search finds; the escape is safe for every character.
    const pattern = new RegExp(`\\u{${q.codePointAt(0)?.toString(16)}}`, 'iu');
    found.push({ q, total: texts.filter((text) => pattern.test(text)).length });
    rest = rest.filter((text) => !pattern.test(text));
  }
  return found;
}

/** The character that the most of the texts have. */
function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const character of new Set(text)) counts.set(character, (counts.get(character) ?? 0) + 1);
  const [[character] = ['']] = [...counts].sort(([, a], [, b]) => b - a);
  return character;
}
