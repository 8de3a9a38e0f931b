/** Characters below it are told apart by a table, twice as fast as by a set; most texts have few others. */
const inTable = 128;
/** For a first character (0: none) and a second one: the number of the text in which they were met last. */
const metIn = new Uint32Array(inTable * inTable);
/** And their spelling, once it was needed. */
const spellings: string[] = new Array(inTable * inTable);
let texts = 0;

/** Room for a second character beside a first one, in a number. */
const base = 0x110000;

const spelled = (first: number, second: number): string =>
  first === 0 ? second.toString(16) : `${first.toString(16)}x${second.toString(16)}`;

/**
 * The distinct code points and pairs of neighbours in a folded text, spelled in ASCII: `6c` and `6cx6f`. Of a text of one
 * code point or two, the last one is the whole text.
 */
export function grams(text: string): string[] {
  texts += 1;
  if (texts > 0xffffffff) {
    metIn.fill(0);
    texts = 1;
  }
  const found: string[] = [];
  const others = new Set<number>();
  // No text has U+0000.
  let previous = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i++;
    if (point < inTable) {
      meet(0, point, found);
      if (previous > 0 && previous < inTable) meet(previous, point, found);
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

function meet(first: number, second: number, found: string[]): void {
  const place = first * inTable + second;
  if (metIn[place] === texts) return;
  metIn[place] = texts;
  spellings[place] ??= spelled(first, second);
  found.push(spellings[place]);
}
