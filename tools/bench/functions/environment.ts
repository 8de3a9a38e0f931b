import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { events } from './events.ts';

/** Variables that Lambda sets for every function and that the SDK reads. */
const ofLambda = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'session',
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  _X_AMZN_TRACE_ID: 'Root=1-691f9d2e-4bd9d6a30f3a5c2e7f1b8d60',
};

/** Maximum size of the output, in bytes. Thousands of calls each log a line. */
const maxPrinted = 100_000_000;

/** Runs Node.js with only the environment of a function, and returns its output. */
export async function runAsFunction(variables: Record<string, string>, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...ofLambda, ...variables },
    maxBuffer: maxPrinted,
  });
  return stdout;
}

const calls = path.join(import.meta.dirname, 'calls.ts');

/**
 * Calls the function in a bundle repeatedly with one of the events, and returns the CPU time of a call in
 * milliseconds.
 */
export async function callCpuMs(
  variables: Record<string, string>,
  { bundle, event, warmUp, times }: { bundle: string; event: keyof typeof events; warmUp: number; times: number },
): Promise<number> {
  // The log lines of the function precede the number.
  const printed = await runAsFunction(variables, calls, bundle, event, String(warmUp), String(times));
  return Number(printed.slice(printed.lastIndexOf('\n') + 1)) / 1_000;
}
