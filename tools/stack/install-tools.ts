import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isRoot } from './folders.ts';
import { schemathesis } from './native/schemathesis.ts';
import { faketime, nativeTools, wrk } from './native/tools.ts';
import { StackProblem } from './problem.ts';
import { run } from './run.ts';
import { findServers, missingOf, onPath, packagesOf, requireTools } from './tools.ts';

// What script/test runs first: as root on Debian it installs what the native provider, the fuzz test, the
// test of the clocks and the benchmarks need, elsewhere it names that. With Docker, too: chaos and a second checkout have servers without it.

/** Debian's packages ask this program whether they may start their service; 101 says no. */
const policy = '/usr/sbin/policy-rc.d';

async function install(packages: string[]): Promise<void> {
  console.log(`Installing ${packages.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The stack starts servers of its own; the packages' service would take a port and memory, and stay.
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await run(['apt-get', 'update'], { env });
    await run(['apt-get', 'install', '--yes', '--no-install-recommends', ...packages], { env });
  } finally {
    if (ours) rmSync(policy);
  }
}

findServers();
try {
  const tools = [...nativeTools, wrk, faketime];
  const missing = await missingOf(tools);
  if (missing.length > 0 && isRoot && onPath('apt-get')) await install(packagesOf(missing));
  await requireTools(tools);
  await schemathesis(() => undefined);
} catch (error) {
  console.error(error instanceof StackProblem ? error.message : error);
  process.exitCode = 1;
}
