import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { printFailure } from '../cli/problem.ts';
import { isRoot } from './folders.ts';
import { hadolint } from './native/hadolint.ts';
import { schemathesis } from './native/schemathesis.ts';
import { browser, faketime, nativeTools, oneMachineTools, promtool, wrk } from './native/tools.ts';
import { run } from './run.ts';
import { addServerFoldersToPath, missingOf, onPath, packagesOf, requireTools } from './tools.ts';

// script/test runs this first. As root on Debian, it installs the tools of the native provider, the fuzz test, the
// clock tests, the benchmarks, and the tests of pages, of metrics and of docs/one-machine.md; elsewhere it names the
// missing ones. Machines with Docker need the tools too, because the chaos tests and the tests of a second checkout
// start native servers.

/** Debian's packages run this program to find out whether they may start their service; exit status 101 means no. */
const policy = '/usr/sbin/policy-rc.d';

async function install(packages: string[]): Promise<void> {
  console.log(`Installing ${packages.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The stack starts its own servers. The services of the packages would take ports and memory, and keep running.
  const createsPolicy = !existsSync(policy);
  if (createsPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run(['apt-get', 'update'], { env });
    await run(['apt-get', 'install', '--yes', '--no-install-recommends', ...packages], { env });
  } finally {
    if (createsPolicy) rmSync(policy);
  }
}

addServerFoldersToPath();
try {
  const tools = [...nativeTools, wrk, faketime, browser, promtool, ...oneMachineTools];
  const missing = await missingOf(tools);
  if (missing.length > 0 && isRoot && onPath('apt-get')) await install(packagesOf(missing));
  await requireTools(tools);
  await schemathesis(() => undefined);
  await hadolint(() => undefined);
} catch (error) {
  process.exitCode = printFailure(error);
}
