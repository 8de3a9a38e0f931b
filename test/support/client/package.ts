import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

const packed = z.tuple([z.looseObject({ filename: z.string(), files: z.array(z.looseObject({ path: z.string() })) })]);

/**
 * Builds the client's package as it is published, and installs it in a folder.
 *
 * @returns the paths of the files in the package
 */
export async function installClient(folder: string): Promise<string[]> {
  // In a copy, because several test files may build it at the same time.
  const copy = path.join(folder, 'client');
  for (const file of ['package.json', 'tsconfig.json', 'README.md', 'LICENSE', 'src'])
    cpSync(path.join(project, 'client', file), path.join(copy, file), { recursive: true });
  const { scripts } = JSON.parse(readFileSync(path.join(copy, 'package.json'), 'utf8'));
  const [tool = '', ...args] = scripts.build.split(' ');
  await run(path.join(project, 'node_modules/.bin', tool), args, { cwd: copy });

  const { stdout } = await run('npm', ['pack', '--json'], { cwd: copy });
  const [{ filename, files }] = packed.parse(JSON.parse(stdout));
  const installed = path.join(folder, 'node_modules/chat-system-client');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['--extract', '--file', path.join(copy, filename), '--strip-components=1', '-C', installed]);
  return files.map((file) => file.path).sort();
}
