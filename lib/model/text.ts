// The rules for the names and bodies of the model. They also check archives of earlier versions, so they must accept
// every text that was ever stored. A stricter rule for new texts belongs in lib/api.

const blank = /^\p{White_Space}*$/u;

/** Returns the length of a text in code points. */
export const codePoints = (text: string): number => {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) count--;
  }
  return count;
};

/**
 * Returns what is wrong with a name or body, or undefined.
 *
 * @param longest the greatest length, in code points
 */
export function textFault(text: string, longest: number): string | undefined {
  // A code point has at most two units. This check comes first, so that a megabyte of text is refused without reading
  // it.
  if (text.length > 2 * longest) return `must have at most ${longest} characters`;
  if (!text.isWellFormed()) return 'must not have a lone surrogate';
  if (text.includes('\0')) return 'must not have the character U+0000';
  if (blank.test(text)) return 'must not be blank';
  if (text.length > longest && codePoints(text) > longest) return `must have at most ${longest} characters`;
  return undefined;
}
