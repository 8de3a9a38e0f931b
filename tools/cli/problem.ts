/** The exit status of a command whose arguments or settings are wrong. */
const wrongUsageStatus = 2;

/** The reason why a command cannot do its work. The message is a sentence for the user. */
export class CommandProblem extends Error {
  /** 1 when the work failed, 2 when an argument or a setting is wrong, 130 or 143 when a signal stopped the command. */
  readonly exitStatus: number;

  constructor(message: string, { exitStatus = 1, cause }: { exitStatus?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.exitStatus = exitStatus;
  }
}

/** Returns a problem with an argument or a setting. The message names it and says what it must be. */
export const wrongUsage = (message: string): CommandProblem =>
  new CommandProblem(message, { exitStatus: wrongUsageStatus });

/**
 * Prints to standard error why a command failed: the message of a CommandProblem, or any other error with its stack.
 *
 * @returns the exit status
 */
export function printFailure(error: unknown): number {
  const isProblem = error instanceof CommandProblem;
  console.error(isProblem ? error.message : error);
  return isProblem ? error.exitStatus : 1;
}
