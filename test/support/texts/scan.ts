import { fold } from '../../../lib/search/text/fold.ts';

// Node.js 24 has RegExp.escape. TypeScript declares it in its library of 2025.
const { escape: escaped } = RegExp as unknown as { escape: (text: string) => string };

/** Returns the regular expression that defines a match in the contract. */
export const matcher = (q: string, flags = ''): RegExp => new RegExp(escaped(q), `iu${flags}`);

/** Returns whether a text matches, by a plain scan of the folded text. */
export const scans = (text: string, q: string): boolean => fold(text).includes(fold(q));
