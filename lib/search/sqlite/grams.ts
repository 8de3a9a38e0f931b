/**
 * Code points below this one are deduplicated with a table, twice as fast as with a set. Most texts have few others.
 */
const tableSize = 128;
/**
 * For each pair of code points, the ordinal of the last text that contains it. A single code point is the pair of 0 and
 * itself.
 */
const lastText = new Uint32Array(tableSize * tableSize);
/** The spelling of each pair, filled in on first use. */
const spellings: string[] = new Array(tableSize * tableSize);
/** The ordinal of the current text. */
let textOrdinal = 0;

/** Above the highest code point: `first * base + second` packs a pair into one number. */
const base = 0x110000;

const spelled = (first: number, second: number): string =>
  first === 0 ? second.toString(16) : `${first.toString(16)}x${second.toString(16)}`;

/**
 * Returns the distinct code points and pairs of adjacent code points of a folded text, spelled in ASCII: `6c` and
 * `6cx6f`. For a text of one or two code points, the last gram is the whole text.
 */
export function grams(text: string): string[] {
  textOrdinal += 1;
  if (textOrdinal > 0xffffffff) {
    lastText.fill(0);
    textOrdinal = 1;
  }
  const found: string[] = [];
  const others = new Set<number>();
  // No text has U+0000.
  let previous = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i++;
    if (point < tableSize) {
      addOnce(0, point, found);
      if (previous > 0 && previous < tableSize) addOnce(previous, point, found);
      else if (previous > 0) others.add(previous * base + point);
    } else {
      others.add(point);
      if (previous > 0) others.add(previous * base + point);
    }
    previous = point;
  }
  for (const other of others) found.push(spelled(Math.floor(other / base), other % base));
  return found;
}

/** Adds the spelling of a pair, unless the current text had the pair before. */
function addOnce(first: number, second: number, found: string[]): void {
  const pair = first * tableSize + second;
  if (lastText[pair] === textOrdinal) return;
  lastText[pair] = textOrdinal;
  spellings[pair] ??= spelled(first, second);
  found.push(spellings[pair]);
}
