import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { addServerFoldersToPath } from '../../../tools/stack/tools.ts';
import { project } from '../../support/servers/checkout.ts';

const namespaceFlags = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child=KILL'];

/** A booted systemd in namespaces of its own, with this machine's programs and a network of its own. */
export interface Debian {
  /** Runs the commands as root and returns what they print. Fails when one of them fails. */
  run: (commands: string) => Promise<string>;
  /** Starts the commands as root. */
  start: (commands: string) => ChildProcess;
  stop: () => Promise<void>;
}

/** Returns why this machine does not let root mount an overlay of its files, as in some containers; undefined if it does. */
export function refusalOfNamespaces(): string | undefined {
  const overlay =
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r';
  const { status, stderr } = spawnSync('unshare', [...namespaceFlags, 'sh', '-c', overlay], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr;
}

/** Returns why this machine has no free loop device, as in some containers; undefined if it has one. */
export function refusalOfLoopDevices(): string | undefined {
  const { status, stderr, error } = spawnSync('losetup', ['--find'], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr);
}

/** Removes the control group that boot.sh has created, which has the name of the folder, when its processes have ended. */
async function removeControlGroup(folder: string): Promise<void> {
  const remove = `mount -t cgroup2 cgroup2 "$0"
    cd "$0"
    until find "\${0##*/}" -depth -type d -exec rmdir {} + 2> /dev/null; do sleep 0.1; done`;
  await promisify(execFile)('unshare', ['--mount', 'sh', '-euc', remove, folder], { timeout: 10_000 });
}

/** Boots systemd. Needs root. The folder, such as a Git repository, is at /srv/repository. */
export async function bootDebian(repository: string): Promise<Debian> {
  addServerFoldersToPath();
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-debian-'));
  const boot = path.join(import.meta.dirname, 'boot.sh');
  const unshare = spawn('unshare', [...namespaceFlags, boot, folder, project, repository], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [unshare.stdout, unshare.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  /** Returns the arguments of nsenter that run the commands beside the first process of the namespaces. */
  const inside = (commands: string): string[] => {
    const [init] = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').split(' ');
    const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--root', '--wd'];
    return ['--target', init as string, ...namespaces, 'bash', '--norc', '-euo', 'pipefail', '-c', commands];
  };
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    CURL_CA_BUNDLE: '/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt',
  };
  const run = async (commands: string): Promise<string> => {
    try {
      return (await promisify(execFile)('nsenter', inside(commands), { env })).stdout;
    } catch (error) {
      const journal = await promisify(execFile)('nsenter', inside('journalctl --no-pager --lines 30'), { env });
      throw new Error(`${(error as Error).message}\n${journal.stdout}`);
    }
  };
  const start = (commands: string) => spawn('nsenter', inside(commands), { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async () => {
    const ended = once(unshare, 'close');
    if (unshare.exitCode === null && unshare.kill('SIGKILL')) await ended;
    await removeControlGroup(folder);
    rmSync(folder, { recursive: true });
  };
  const isBooted = async () => {
    if (unshare.exitCode !== null) return;
    // "degraded" means that a unit of this machine failed, which does not concern the chat system.
    expect(await run('systemctl is-system-running || true')).toMatch(/^(running|degraded)\n$/);
  };
  await vi.waitFor(isBooted, { timeout: 60_000, interval: 100 });
  if (unshare.exitCode !== null) throw new Error(`systemd did not boot: ${output}`);
  return { run, start, stop };
}

/** Creates a Git repository with the files of the working tree, whether they are committed or not. */
export function repositoryOfWorkingTree(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-repository-'));
  const git = (args: string, cwd = folder) => execFileSync('bash', ['-euc', args], { cwd, stdio: 'pipe' });
  git(
    `git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\\0' "$file"; fi; done |
    tar --create --null --files-from=- | tar --extract --directory='${folder}'`,
    project,
  );
  git(`git init --quiet --initial-branch=main && git add --all &&
    git -c user.name=test -c user.email=test@localhost -c commit.gpgsign=false commit --quiet --message=All`);
  return folder;
}
