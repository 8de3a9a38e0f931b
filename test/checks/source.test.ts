import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const project = path.resolve(import.meta.dirname, '../..');

/** Runs one of the project's tools; when it fails, its output is the message. */
const passes = (tool: string, ...args: string[]) =>
  promisify(execFile)(path.join(project, 'node_modules/.bin', tool), args, { cwd: project }).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) => expect.fail(`${stdout}${stderr}`),
  );

test('the types hold', () => passes('tsc', '--project', 'tsconfig.json'));
test('the source is formatted, and follows the rules of the linter', () =>
  passes('biome', 'check', '--error-on-warnings'));
test('nothing is unused: files, exports, packages', () => passes('knip'));
test('the fold table is what its program writes', () => passes('node', 'tools/fold-table/main.ts', '--check'));
