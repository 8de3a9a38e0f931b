import { fold } from '../../../lib/search/text/fold.ts';

// In Node.js 24; TypeScript has it in its library of 2025.
const { escape: escaped } = RegExp as unknown as { escape: (text: string) => string };

/** The regular expression by which the contract says what matches. */
export const matcher = (q: string, flags = ''): RegExp => new RegExp(escaped(q), `iu${flags}`);

/** Whether a text matches, by a plain scan of the folded text. */
export const scans = (text: string, q: string): boolean => fold(text).includes(fold(q));
