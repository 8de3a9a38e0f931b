import * as z from 'zod';
import { invalidFlag, unknownFlags } from './context.ts';
import type { StageFile } from './stage-files.ts';

/** The flags are invalid. The message names every invalid flag, one per line. */
export class InvalidFlags extends Error {}

/** The flags in the file of a stage: all except the name of the stage itself. */
const flagsOfFile = z.record(z.string(), z.union([z.string(), z.number()]));

/**
 * Parses the flags of the CDK command line (`-c name=value`) and of the stage's file. The command line takes precedence.
 *
 * @param schema a schema in which every flag is optional or has a default
 * @param context the whole context of the CDK app, including CDK's own keys
 * @param check returns a line for each mistake in the combination of the flags. `valid` has the flags that are valid by
 *   themselves, and `has` tells whether a flag was passed, valid or not
 * @throws InvalidFlags naming every flag that is invalid, missing or unknown, and where it was passed
 */
export function parseFlags<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  context: Record<string, unknown>,
  file: StageFile,
  check: (valid: z.output<z.ZodObject<Shape>>, has: (flag: keyof z.output<z.ZodObject<Shape>>) => boolean) => string[],
): z.output<z.ZodObject<Shape>> {
  const flagNames = Object.keys(schema.shape);
  const { inFile, fileProblems } = flagsIn(file, flagNames);
  const values = Object.fromEntries(flagNames.map((flag) => [flag, context[flag] ?? inFile[flag]]));
  /** Replaces `-c <flag>` in front of a problem with the file that the flag is in. */
  const located = (problem: string): string =>
    problem.replace(/^-c (\w+):/, (all, flag: string) =>
      context[flag] === undefined && flag in inFile ? `${file.path}, ${flag}:` : all,
    );
  const issues = schema.safeParse(values).error?.issues ?? [];
  const invalid = new Set<unknown>(issues.map(({ path: [flag] }) => flag));
  // Every flag is optional or has a default, so the valid flags can be checked against each other even if some are
  // invalid. All mistakes are then reported at once. An unknown stage is checked as the default stage.
  const valid = schema.parse({ ...values, ...Object.fromEntries([...invalid].map((flag) => [flag, undefined])) });
  const problems = [
    ...fileProblems,
    ...unknownFlags(context, flagNames),
    ...issues.map(invalidFlag),
    ...check(valid, (flag) => valid[flag] !== undefined || invalid.has(flag)),
  ];
  if (problems.length > 0) throw new InvalidFlags(problems.map(located).join('\n'));
  return valid;
}

/** Returns the known flags in the file, and a line for each mistake that does not concern the value of a known flag. */
function flagsIn({ path, content, problems }: StageFile, flagNames: string[]) {
  const read = flagsOfFile.safeParse(content);
  if (!read.success) {
    const wrong = read.error.issues.map(({ path: [flag] }) =>
      flag === undefined
        ? `${path}: is not a JSON object of flags`
        : `${path}, ${String(flag)}: is neither a text nor a number`,
    );
    return { inFile: {}, fileProblems: [...problems, ...wrong] };
  }
  const known = flagNames.filter((flag) => flag !== 'stage');
  const unknown = Object.keys(read.data).filter((flag) => !known.includes(flag));
  return {
    inFile: Object.fromEntries(Object.entries(read.data).filter(([flag]) => known.includes(flag))),
    fileProblems: [
      ...problems,
      ...unknown.map((flag) => `${path}, ${flag}: unknown flag; the flags are ${known.join(', ')}`),
    ],
  };
}
