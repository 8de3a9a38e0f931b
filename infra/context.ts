import type * as z from 'zod';

/** Keys without a namespace that the CDK CLI writes to `cdk.context.json`. */
const cliKeys = ['acknowledged-issue-numbers', 'cli-telemetry'];

/**
 * Returns a line for each flag (`-c name=value`) that the app does not know. Names with a colon or an at sign are left
 * out: CDK passes its own settings and lookup results in the context under such names.
 */
export const unknownFlags = (context: Record<string, unknown>, flagNames: string[]): string[] =>
  Object.keys(context)
    .filter((name) => !/[:@]/.test(name) && !cliKeys.includes(name) && !flagNames.includes(name))
    .map((name) => `-c ${name}: unknown flag; the flags are ${flagNames.join(', ')}`);

/** Returns the line for a flag with an invalid value. */
export const invalidFlag = ({ path, message }: z.core.$ZodIssue): string => `-c ${path.join('.')}: ${message}`;
