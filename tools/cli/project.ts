import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The folder of this checkout. */
export const project = path.resolve(import.meta.dirname, '../..');

/** Returns the version of this checkout. */
export function projectVersion(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8'));
  return version;
}

/** Returns the version of this checkout and of the Node.js that runs it, in a line. */
export const versions = (): string => `chat-system ${projectVersion()}, Node.js ${process.versions.node}`;
