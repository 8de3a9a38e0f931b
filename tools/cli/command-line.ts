import { type Command, CommanderError } from 'commander';
import type * as z from 'zod';

/** A setting that can't be used; the message says which and why. */
export class BadSettings extends Error {}

/**
 * Reads a command's settings from its flags and, where there is none, from the environment.
 *
 * @returns undefined when the help was asked for, which has then been printed
 * @throws BadSettings naming all that is wrong
 */
export function parseSettings<Schema extends z.ZodType>(
  command: Command,
  schema: Schema,
  argv: string[],
): z.output<Schema> | undefined {
  command
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'show this')
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const complaint = error.message.replace(/^error: /, '').replace(/^./, (letter) => letter.toUpperCase());
    throw new BadSettings(`${complaint.replace(/\.$/, '')}; see ${command.name()} --help.`);
  }
  const result = schema.safeParse(command.opts());
  if (result.success) return result.data;
  throw new BadSettings(result.error.issues.map(({ message }) => message).join(' '));
}
