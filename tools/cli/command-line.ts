import { type Command, CommanderError } from 'commander';
import * as z from 'zod';
import { wrongUsage } from './problem.ts';

/**
 * Runs the subcommand that the arguments name, or prints the help that they request.
 *
 * @throws CommandProblem when the arguments are wrong, and whatever the subcommand throws
 */
export async function runSubcommand(program: Command, argv: string[]): Promise<void> {
  for (const command of withSubcommands(program)) throwsOnExit(command);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!isHelp(error)) throw asProblem(error, program);
  }
}

/**
 * Reads a command's settings from its flags and, where a flag is missing, from the environment.
 *
 * @returns undefined when the arguments request the help, which is then printed
 * @throws CommandProblem naming every wrong setting
 */
export function parseSettings<Schema extends z.ZodType>(
  command: Command,
  schema: Schema,
  argv: string[],
): z.output<Schema> | undefined {
  throwsOnExit(command.allowExcessArguments(false).helpOption('-h, --help', 'show this'));
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (isHelp(error)) return undefined;
    throw asProblem(error, command);
  }
  return parseOrExplain(schema, command.opts());
}

/** @throws CommandProblem with the message of every issue */
export function parseOrExplain<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw wrongUsage(result.error.issues.map(({ message }) => message).join(' '));
}

/**
 * Returns the schema of a setting that is a whole number in decimal digits.
 *
 * @param name the name of the setting in messages, such as `--port (PORT)`
 */
export const wholeNumber = (name: string, least: number, most: number) =>
  z
    .string()
    .refine((digits) => /^[0-9]+$/.test(digits) && Number(digits) >= least && Number(digits) <= most, {
      error: `${name} must be a whole number from ${least} to ${most}.`,
    })
    .transform(Number);

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)];

/** Makes Commander throw instead of printing an error and exiting. */
const throwsOnExit = (command: Command): Command =>
  command.exitOverride().configureOutput({ outputError: () => undefined });

const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0;

function asProblem(error: unknown, command: Command): unknown {
  if (!(error instanceof CommanderError)) return error;
  const complaint = error.message.replace(/^error: /, '').replace(/^./, (letter) => letter.toUpperCase());
  return wrongUsage(`${complaint.replace(/\.$/, '')}; see ${command.name()} --help.`);
}
