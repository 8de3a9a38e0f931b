import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const project = path.resolve(import.meta.dirname, '../../..');
const start = path.join(project, 'local/start.ts');
/** Node.js caches compiled code here, which halves the time of the many starts. */
const compileCache = path.join(project, 'node_modules/.cache/compile');

// The settings that script/start gives Node.js and glibc, so that the tests' hosts run as real ones do.
const script = readFileSync(path.join(project, 'script/start'), 'utf8');
const startFlags =
  /^exec "\$node" (--.+) "\$project\/local\/start.ts"/ms
    .exec(script)?.[1]
    ?.split(/[ \\\n]+/)
    .map((flag) => flag.replace(/^"\$project\/(.+)"$/, (_, file: string) => path.join(project, file))) ?? [];
const memoryVariables = Object.fromEntries(
  [...script.matchAll(/^export (MALLOC_\w+)="\$\{\1:-(\d+)\}"$/gm)].map(([, name, value]) => [name, value]),
);
if (startFlags.length === 0 || Object.keys(memoryVariables).length === 0)
  throw new Error('script/start does not have the expected settings');

/** Variables that a developer may have set for another host. The hosts of the tests do not get them. */
const ownSettings = ['PORT', 'HOST', 'DATA_DIR', 'ADMIN_KEY', 'LOG_LEVEL', 'ROLLUP_SECONDS'];

/** Creates a data folder in the system's folder for temporary files. */
export const newDataDir = (): string => mkdtempSync(path.join(tmpdir(), 'chat-system-'));
export const removeDataDir = (dataDir: string): void => rmSync(dataDir, { recursive: true, force: true });

/** The start command in a process of its own, ready or not. */
export interface Launched {
  process: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  /** Resolves with the exit status (null after a signal) once its whole output has been read. */
  ended: Promise<number | null>;
  /** Sends the signal if the process still runs, and resolves with the exit status. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** A chat system in a process of its own, as script/start starts it. */
export interface Host extends Launched {
  /** The base URL: `http://localhost:PORT/v1`. */
  url: string;
}

const running = new Set<ChildProcess>();
// Ends the hosts when a test run is interrupted.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Runs the start command with the flags and variables, without waiting for it.
 *
 * @param openFiles the process's limit of open file descriptors; by default that of this process
 */
export function launch(flags: string[], variables: Record<string, string> = {}, openFiles?: number): Launched {
  const inherited = Object.entries(process.env).filter(([name]) => !ownSettings.includes(name));
  const limit = openFiles === undefined ? [] : ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`];
  const [command = process.execPath, ...args] = [...limit, process.execPath, ...startFlags, start, ...flags];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...memoryVariables, NODE_COMPILE_CACHE: compileCache, ...variables },
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(() => {
    running.delete(child);
    return child.exitCode;
  });
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    stop: (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

/** A start takes well below a second. This limits the delay from one that hangs. */
const startMs = 30_000;

/** Resolves with the host once it is ready, or rejects with its output when it ends. */
export async function ready(launched: Launched): Promise<Host> {
  const { stdout, stderr } = launched;
  const tooLong = setTimeout(() => launched.stop('SIGKILL'), startMs);
  const url = await new Promise<string>((resolve, reject) => {
    launched.process.stdout?.on('data', () => {
      const api = /API +(http\S+)/.exec(stdout())?.[1];
      if (api && stdout().includes('Stop it')) resolve(api);
    });
    void launched.ended.then((status) =>
      reject(new Error(`The host ended with status ${status}: ${stdout()}${stderr()}`)),
    );
  }).finally(() => clearTimeout(tooLong));
  return { ...launched, url };
}

/** Starts a host on a free port. Resolves when it is ready, or rejects with its output when it ends. */
export const startHost = (dataDir: string, ...flags: string[]): Promise<Host> =>
  ready(launch(['--port', '0', '--data-dir', dataDir, ...flags]));
