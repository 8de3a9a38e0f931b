import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// Writes a package.json and a package-lock.json that install some packages of this checkout's lockfile and all their
// dependencies, with the same versions and checksums:
//
//   node tools/setup/lockfile-part.ts <folder to write to> <package> …

interface LockedPackage {
  version: string;
  dev?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const [folder = '', ...names] = process.argv.slice(2);
const lockfile = path.resolve(import.meta.dirname, '../../package-lock.json');
const { packages, ...lock }: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync(lockfile, 'utf8'));

/**
 * Returns the path of a dependency as Node.js finds it: in the package's own node_modules or in that of a parent
 * folder.
 */
function placeOf(name: string, from: string): string | undefined {
  for (let folders = from.split('/node_modules/'); folders.length > 0; folders = folders.slice(0, -1)) {
    const place = `${folders.join('/node_modules/')}/node_modules/${name}`;
    if (packages[place]) return place;
  }
  return packages[`node_modules/${name}`] && `node_modules/${name}`;
}

const part: Record<string, LockedPackage> = {};

function add(place: string): void {
  if (part[place]) return;
  const locked = packages[place];
  if (!locked) throw new Error(`${lockfile} has no ${place}`);
  const { dev: _, ...entry } = locked;
  part[place] = entry;
  const { dependencies, optionalDependencies, peerDependencies } = entry;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const found = placeOf(name, place);
    if (found) add(found);
  }
}

for (const name of names) add(`node_modules/${name}`);
const dependencies = Object.fromEntries(names.map((name) => [name, part[`node_modules/${name}`]?.version]));
const root = { name: 'chat-system-part', version: '0.0.0', dependencies };
const write = (file: string, content: unknown) =>
  writeFileSync(path.join(folder, file), `${JSON.stringify(content, undefined, 2)}\n`);
write('package.json', { ...root, private: true });
write('package-lock.json', { ...lock, ...root, packages: { '': root, ...part } });
