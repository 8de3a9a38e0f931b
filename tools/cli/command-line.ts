import { type Command, CommanderError } from 'commander';
import * as z from 'zod';
import { type CommandProblem, wrongUsage } from './problem.ts';
import { versions } from './project.ts';

/**
 * Runs the subcommand that the arguments name, or prints the help or the version that they request.
 *
 * @throws CommandProblem when the arguments are wrong, and whatever the subcommand throws
 */
export async function runSubcommand(program: Command, argv: string[]): Promise<void> {
  withVersion(program);
  for (const command of withSubcommands(program)) throwsOnExit(command);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!isHelp(error)) throw error;
  }
}

/**
 * Reads a command's settings from its flags and, where a flag is missing, from the environment.
 *
 * @returns undefined when the arguments request the help or the version, which is then printed
 * @throws CommandProblem naming every wrong setting
 */
export function parseSettings<Schema extends z.ZodType>(
  command: Command,
  schema: Schema,
  argv: string[],
): z.output<Schema> | undefined {
  throwsOnExit(withVersion(command.allowExcessArguments(false).helpOption('-h, --help', 'show this')));
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (isHelp(error)) return undefined;
    throw error;
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

/** Collects the values of a flag that may be repeated; Commander calls it with each value and those before. */
export const collect = (value: string, before: string[]): string[] => [...before, value];

/** Returns the part of a command's help that lists example calls of a script. */
export const examplesOf = (script: string, lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ ${script} ${line}`).join('\n')}\n`;

const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)];

const withVersion = (command: Command): Command => command.version(versions(), '--version', 'show the version');

/** Makes Commander throw instead of printing an error and exiting: a CommandProblem when the arguments are wrong. */
const throwsOnExit = (command: Command): Command =>
  command
    .exitOverride((error) => {
      throw isHelp(error) ? error : problemOf(error, command);
    })
    .configureOutput({ outputError: () => undefined });

const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0;

function problemOf({ code, message }: CommanderError, command: Command): CommandProblem {
  const names = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  const name = names.join(' ');
  // Commander has printed the help, because the command has subcommands and the arguments name none.
  if (code === 'commander.help') return wrongUsage(`${name} needs one of these commands.`);
  const complaint = message.replace(/^error: /, '').replace(/^./, (letter) => letter.toUpperCase());
  return wrongUsage(`${complaint.replace(/\.$/, '')}; see ${name} --help.`);
}
