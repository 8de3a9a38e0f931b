import { Command } from 'commander';
import * as z from 'zod';
import { runSubcommand } from '../../cli/command-line.ts';
import { count } from '../../cli/numbers.ts';
import { onLostReader } from '../../cli/output.ts';
import { CommandProblem, printFailure, wrongUsage } from '../../cli/problem.ts';
import { Api, expectStatus, jsonOf, Unexpected } from './api.ts';
import { type Check, readingChecks, throttlingCheck, writingChecks } from './checks.ts';

interface Flags {
  readOnly?: boolean;
  throttle?: boolean;
}

/** Whether the user has asked the program to stop. It stops after the current check, and deletes its application. */
let stopped = false;

/** Runs the checks one after the other, prints the outcome of each, and returns how many failed. */
async function runAll(api: Api, checks: Check[]): Promise<number> {
  let failed = 0;
  for (const [name, run] of checks) {
    if (stopped) break;
    try {
      await run(api);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}: ${sentence(error)}`);
    }
  }
  return failed;
}

/** Returns what is wrong in one line. The body of a response may be anything, so a schema may refuse it too. */
function sentence(error: unknown): string {
  if (error instanceof Unexpected) return error.message;
  if (error instanceof z.ZodError) return z.prettifyError(error).replaceAll('\n', ' ');
  return error instanceof Error ? `no response: ${error.message}` : String(error);
}

/** Creates an application, runs the checks that write on it, and deletes it. */
async function runOnApplication(api: Api): Promise<number> {
  const response = await api.call('POST', '/applications', { body: { name: 'Smoke test' } });
  if (response.status === 401)
    throw new CommandProblem('This system requires the admin key: set ADMIN_KEY, or pass --read-only.');
  expectStatus(response, 201);
  const path = `/applications/${z.object({ token: z.string() }).parse(jsonOf(response)).token}`;
  try {
    return await runAll(api, writingChecks(path));
  } finally {
    const { status } = await api.call('DELETE', path);
    if (status !== 204) console.error(`The application of this test was not deleted. Delete it: DELETE ${path}`);
  }
}

async function smoke(url: string, { readOnly, throttle }: Flags): Promise<void> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw wrongUsage(`${url} is not a URL such as https://host/v1.`);
  const api = new Api(url, process.env.ADMIN_KEY || undefined);
  await api.call('GET', '/health').catch((error: Error) => {
    throw new CommandProblem(`${url} does not respond: ${error.message}`, { cause: error });
  });
  let failed = await runAll(api, readingChecks);
  if (!readOnly) failed += await runOnApplication(api);
  if (throttle) failed += await runAll(api, [throttlingCheck]);
  if (stopped) throw new CommandProblem('Stopped.', { exitStatus: 130 });
  console.log(failed === 0 ? 'Everything is as expected.' : `${count(failed, 'check')} failed.`);
  if (failed > 0) process.exitCode = 1;
}

const program = new Command('script/smoke')
  .argument('<url>', 'base URL of the API, which ends in /v1')
  .description(
    'Checks the HTTP API of a running system, of either engine: what gateways and proxies may change on the way. It creates an application, and deletes it at the end. If the system requires an admin key, set ADMIN_KEY.',
  )
  .helpOption('-h, --help', 'show this')
  .allowExcessArguments(false)
  .option('--read-only', 'make only the checks that change nothing')
  .option('--throttle', 'also send requests until one is throttled; other clients are throttled too for a moment')
  .addHelpText(
    'after',
    `
Examples:
  $ script/smoke http://127.0.0.1:3000/v1
  $ ADMIN_KEY=… script/smoke https://….execute-api.eu-central-1.amazonaws.com/v1 --throttle

Exit status: 0 everything is as expected, 1 a check failed, 2 wrong usage, 130 stopped with Ctrl-C.
`,
  )
  .action(smoke);

onLostReader(() => true);
// A second signal ends the program at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopped = true;
    console.error('Stopping after the current check.');
  });
try {
  await runSubcommand(program, process.argv.slice(2));
} catch (error) {
  process.exitCode = printFailure(error instanceof Unexpected ? new CommandProblem(error.message) : error);
}
