/** A search and the number of texts that it must find. */
export interface Probe {
  q: string;
  total: number;
}

/**
 * Returns a small set of one-character searches that together find every text. When each search has its expected total,
 * every text is in the index. One or two searches are enough for most languages, such as a space and a vowel.
 */
export function probes(texts: readonly string[]): Probe[] {
  const found: Probe[] = [];
  for (let rest = texts; rest.length > 0; ) {
    const q = mostFrequent(rest);
    // A search finds what this pattern finds, by the API's contract. The escape is safe for every character.
    const pattern = new RegExp(`\\u{${q.codePointAt(0)?.toString(16)}}`, 'iu');
    found.push({ q, total: texts.filter((text) => pattern.test(text)).length });
    rest = rest.filter((text) => !pattern.test(text));
  }
  return found;
}

/** Returns the character that most texts contain. */
function mostFrequent(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const character of new Set(text)) counts.set(character, (counts.get(character) ?? 0) + 1);
  const [[character] = ['']] = [...counts].sort(([, a], [, b]) => b - a);
  return character;
}
