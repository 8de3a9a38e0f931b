import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CommandProblem } from '../cli/problem.ts';
import { isRoot } from './folders.ts';

/** A program that this machine must have. */
export interface Tool {
  /** The name in the message for the user. */
  name: string;
  /** The Debian package that contains it. */
  debianPackage: string;
  present: () => Promise<boolean>;
}

/** The folders of the system's server programs. Not every PATH contains them. */
const serverFolders = ['/usr/sbin', '/usr/local/sbin'];

/** Extends PATH so that this process and its children find the system's server programs. */
export function addServerFoldersToPath(): void {
  process.env.PATH = [process.env.PATH, ...serverFolders].filter(Boolean).join(path.delimiter);
}

/** Returns whether a program of that name is on the PATH. */
export const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Returns whether the command runs and succeeds. */
export const succeeds = (file: string, ...args: string[]): Promise<boolean> =>
  promisify(execFile)(file, args, { timeout: 10_000 }).then(
    () => true,
    () => false,
  );

/** Returns the tools that are missing. */
export async function missingOf(tools: Tool[]): Promise<Tool[]> {
  const present = await Promise.all(tools.map((tool) => tool.present()));
  return tools.filter((_, index) => !present[index]);
}

/** @throws CommandProblem naming every missing tool and the command that installs them */
export async function requireTools(tools: Tool[], root = isRoot): Promise<void> {
  const missing = await missingOf(tools);
  if (missing.length === 0) return;
  throw new CommandProblem(
    `Missing on this machine: ${missing.map(({ name }) => name).join(', ')}. On Debian and Ubuntu, this command installs it:\n\n  ${root ? '' : 'sudo '}apt-get install --yes ${packagesOf(missing).join(' ')}\n`,
  );
}

/** Returns the Debian packages that contain the tools. */
export const packagesOf = (tools: Tool[]): string[] => [...new Set(tools.map(({ debianPackage }) => debianPackage))];
