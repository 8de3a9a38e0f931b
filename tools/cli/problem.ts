/** The exit status of a command whose arguments or settings are wrong. */
const wrongUsageStatus = 2;

/** Something that keeps a command from doing what it was asked to do. The message is a sentence for the user. */
export class CommandProblem extends Error {
  /** 1 where the work failed, 2 where an argument or a setting is wrong. */
  readonly exitStatus: number;

  constructor(message: string, { exitStatus = 1, cause }: { exitStatus?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitStatus = exitStatus;
  }
}

/** A problem with an argument or a setting. The message says which one and what it must be. */
export const wrongUsage = (message: string): CommandProblem =>
  new CommandProblem(message, { exitStatus: wrongUsageStatus });

/**
 * Prints why a command failed on standard error: the sentence of a CommandProblem, any other error with its stack.
 *
 * @returns the exit status
 */
export function printFailure(error: unknown): number {
  const isProblem = error instanceof CommandProblem;
  console.error(isProblem ? error.message : error);
  return isProblem ? error.exitStatus : 1;
}
