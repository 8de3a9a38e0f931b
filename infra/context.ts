import type * as z from 'zod';

/** Keys that the CDK command notes in `cdk.context.json` without a namespace. */
const ofTheCommand = ['acknowledged-issue-numbers', 'cli-telemetry'];

/**
 * A line for each flag (`-c name=value`) that an app does not have. CDK itself passes settings and what it has looked up in
 * the same way, with a colon or an at sign in their names.
 */
export const unknownFlags = (context: Record<string, unknown>, flagNames: string[]): string[] =>
  Object.keys(context)
    .filter((name) => !/[:@]/.test(name) && !ofTheCommand.includes(name) && !flagNames.includes(name))
    .map((name) => `-c ${name}: is not a flag; there are ${flagNames.join(', ')}`);

/** The line for a flag with a wrong value. */
export const refused = ({ path, message }: z.core.$ZodIssue): string => `-c ${path.join('.')}: ${message}`;
