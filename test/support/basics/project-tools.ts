import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const project = path.resolve(import.meta.dirname, '../../..');

/** Runs one of the project's tools, and fails with its output. */
export const passes = (tool: string, ...args: string[]) =>
  promisify(execFile)(path.join(project, 'node_modules/.bin', tool), args, { cwd: project }).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) => expect.fail(`${stdout}${stderr}`),
  );
