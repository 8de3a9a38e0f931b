import { execFile } from 'node:child_process';
import { CommandProblem } from '../../cli/problem.ts';

/**
 * Runs a command of the AWS CLI, such as `aws sts get-caller-identity`, and returns its output, parsed from JSON.
 *
 * @throws AwsRefusal when AWS refuses the call; CommandProblem when the CLI cannot call AWS at all
 */
export type Aws = (service: string, operation: string, ...flags: string[]) => Promise<unknown>;

/** AWS refused a call. */
export class AwsRefusal extends Error {
  /** The error code, such as `NoSuchEntity`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Maximum size of the output of a command, in bytes. AWS returns a few hundred kB about the instance types of a region.
 */
const maxBuffer = 64 * 1_024 * 1_024;

/** Calls AWS with the AWS CLI of this machine, and with its account and region. */
export const awsCli: Aws = (service, operation, ...flags) =>
  new Promise((resolve, reject) => {
    const args = [service, operation, ...flags, '--output', 'json'];
    // Without a pager, which waits for a key.
    const env = { ...process.env, AWS_PAGER: '' };
    execFile('aws', args, { maxBuffer, env }, (error, stdout, stderr) => {
      if (error) reject(failureOf(error, stderr));
      else resolve(JSON.parse(stdout));
    });
  });

/** Returns the reason why a command of the AWS CLI failed, from what it wrote to standard error. */
export function failureOf(error: NodeJS.ErrnoException | Error, stderr: string): AwsRefusal | CommandProblem {
  if ('code' in error && error.code === 'ENOENT')
    return new CommandProblem('The AWS CLI is not installed: https://docs.aws.amazon.com/cli/', { cause: error });
  const [, code, message] =
    /An error occurred \((\S+?)\) when calling the \w+ operation(?: \([^)]*\))?: ([\s\S]*)/.exec(stderr) ?? [];
  if (code === undefined || message === undefined)
    return new CommandProblem(
      `The AWS CLI cannot call AWS: ${stderr.trim() || error.message}\nSign in (aws configure, or aws sso login), and choose a region (AWS_REGION).`,
      { cause: error },
    );
  return new AwsRefusal(code, message.trim());
}
