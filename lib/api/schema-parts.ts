import 'zod-openapi';
import * as z from 'zod/mini';

// What the schemas of requests are made of.

/** Adds OpenAPI metadata to a schema. */
export const documented = <Schema extends z.core.$ZodType>(schema: Schema, facts: z.core.GlobalMeta): Schema => {
  z.globalRegistry.add(schema, facts);
  return schema;
};

const blank = /^\p{White_Space}*$/u;

/** The length of a text in code points. */
export const codePoints = (text: string): number => {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) count--;
  }
  return count;
};

/** What is wrong with a text that clients give, or undefined. */
function textFault(text: string, longest: number): string | undefined {
  // A code point has two units at most. Without a look at its characters, a megabyte of text costs nothing.
  if (text.length > 2 * longest) return `must have at most ${longest} characters`;
  if (!text.isWellFormed()) return 'must not have a lone surrogate';
  if (text.includes('\0')) return 'must not have the character U+0000';
  if (blank.test(text)) return 'must not be blank';
  if (text.length > longest && codePoints(text) > longest) return `must have at most ${longest} characters`;
  return undefined;
}

/** What is wrong with a value that is missing or of another type. */
export const typeFault = (expected: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is required' : `must be ${expected}`;

/**
 * The rule as the document tells it. JSON Schema's regular expressions know White_Space by its characters alone; a lone
 * surrogate is no valid JSON in UTF-8 anyway.
 */
const whiteSpace = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const textFacts = (longest: number) => ({
  minLength: 1,
  maxLength: longest,
  pattern: `^[^\\u0000]*[^\\u0000${whiteSpace}][^\\u0000]*$`,
});

/** A name or body: not blank, and at most so many code points. */
export const text = (longest: number, facts: z.core.GlobalMeta = {}, expected = 'a string') =>
  documented(
    z.string({ error: typeFault(expected) }).check(({ value, issues }) => {
      const fault = textFault(value, longest);
      if (fault) issues.push({ code: 'custom', message: fault, input: value });
    }),
    { ...facts, override: textFacts(longest) },
  );
