import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The folder of this checkout. */
export const project = path.resolve(import.meta.dirname, '../..');

/** Returns the version of this checkout and of the Node.js that runs it, in a line. */
export function versions(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8'));
  return `chat-system ${version}, Node.js ${process.versions.node}`;
}
