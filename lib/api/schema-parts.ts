import 'zod-openapi';
import * as z from 'zod/mini';
import { textFault } from '../model/text.ts';

// Parts that the request schemas share.

/** Adds OpenAPI metadata to a schema. */
export const documented = <Schema extends z.core.$ZodType>(schema: Schema, facts: z.core.GlobalMeta): Schema => {
  z.globalRegistry.add(schema, facts);
  return schema;
};

/** Returns what is wrong with a value that is missing or of another type. */
export const typeFault = (expected: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? 'is required' : `must be ${expected}`;

/** Unicode's property White_Space as a list, because regular expressions in JSON Schema cannot name the property. */
const whiteSpace = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
/** Documents the rules for a text. A lone surrogate needs no rule, because it is not valid JSON in UTF-8. */
const textFacts = (longest: number) => ({
  minLength: 1,
  maxLength: longest,
  pattern: `^[^\\u0000]*[^\\u0000${whiteSpace}][^\\u0000]*$`,
});

/** Makes the schema of a name or body. `longest` is the greatest length, in code points. */
export const text = (longest: number, facts: z.core.GlobalMeta = {}, expected = 'a string') =>
  documented(
    z.string({ error: typeFault(expected) }).check(({ value, issues }) => {
      const fault = textFault(value, longest);
      if (fault) issues.push({ code: 'custom', message: fault, input: value });
    }),
    { ...facts, override: textFacts(longest) },
  );
