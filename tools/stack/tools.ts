import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CommandProblem } from '../cli/problem.ts';
import { isRoot } from './folders.ts';

/** A program that has to be on this machine. */
export interface Tool {
  /** What is missed, for people. */
  name: string;
  /** Debian's package that brings it. */
  debianPackage: string;
  present: () => Promise<boolean>;
}

/** Where the system's servers lie; not on everybody's PATH. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin'];

/** Lets this process and those it starts find the system's servers. */
export function findServers(): void {
  process.env.PATH = [process.env.PATH, ...serverFolders].filter(Boolean).join(path.delimiter);
}

/** Whether a program of that name is on the PATH. */
export const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Whether the command runs and succeeds. */
export const succeeds = (file: string, ...args: string[]): Promise<boolean> =>
  promisify(execFile)(file, args, { timeout: 10_000 }).then(
    () => true,
    () => false,
  );

/** Those of the tools that are not there. */
export async function missingOf(tools: Tool[]): Promise<Tool[]> {
  const present = await Promise.all(tools.map((tool) => tool.present()));
  return tools.filter((_, index) => !present[index]);
}

/** @throws CommandProblem naming every tool that is missing, and the command that installs them */
export async function requireTools(tools: Tool[], root = isRoot): Promise<void> {
  const missing = await missingOf(tools);
  if (missing.length === 0) return;
  throw new CommandProblem(
    `Missing on this machine: ${missing.map(({ name }) => name).join(', ')}. On Debian and Ubuntu, this installs it:\n\n  ${root ? '' : 'sudo '}apt-get install --yes ${packagesOf(missing).join(' ')}\n`,
  );
}

/** Debian's packages that bring the tools. */
export const packagesOf = (tools: Tool[]): string[] => [...new Set(tools.map(({ debianPackage }) => debianPackage))];
