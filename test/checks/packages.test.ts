import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(project, file), 'utf8');

const lockedPackage = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  inBundle: z.boolean().optional(),
  link: z.literal(true).optional(),
});
const lock = z
  .looseObject({ lockfileVersion: z.literal(3), packages: z.record(z.string(), lockedPackage) })
  .parse(JSON.parse(read('package-lock.json')));
const { '': own, client, ...installed } = lock.packages;
/** The packages that come from a registry. The workspace is this repository's own. */
const others = Object.fromEntries(Object.entries(installed).filter(([, { link }]) => !link));

test('every package in the lockfile has a checksum, except those bundled inside of another', () => {
  const without = Object.entries(others)
    .filter(([, { integrity, inBundle }]) => !/^sha512-/.test(integrity ?? '') && !inBundle)
    .map(([name]) => name);
  expect(without).toEqual([]);
});

test('the lockfile names no registry, so packages come from the one that npm is configured to use', () => {
  expect(Object.entries(others).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(read('.npmrc')).not.toMatch(/^(@.*:)?registry *=/m);
});

test('every dependency is pinned to one version, which the lockfile contains', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  expect(own).toMatchObject({ dependencies, devDependencies, optionalDependencies });
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))
    expect(`${name} ${version}`).toBe(`${name} ${others[`node_modules/${name}`]?.version}`);
  const ofClient = JSON.parse(read('client/package.json'));
  expect(client).toMatchObject({ version: ofClient.version, devDependencies: ofClient.devDependencies });
  for (const [name, version] of Object.entries(ofClient.devDependencies))
    expect(`${name} ${version}`).toBe(`${name} ${others[`client/node_modules/${name}`]?.version}`);
});

test('the client, which is installed without a build, needs no package to run', () => {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(read('client/package.json'));
  expect({ ...dependencies, ...peerDependencies, ...optionalDependencies }).toEqual({});
});

test('no package runs a script on installation, and only npm ci installs packages', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  for (const file of [...globSync('script/*', { cwd: project }), ...globSync('.github/workflows/*', { cwd: project })])
    expect(read(file)).not.toMatch(/\bnpm (i|install|update|add)\b/);
});

test('every npm script works in a fresh clone: it installs the packages that it needs', () => {
  for (const [name, command] of Object.entries<string>(JSON.parse(read('package.json')).scripts))
    expect(command, name).toMatch(/^(script\/\w+$|script\/setup all > \/dev\/null && |npm (audit|sbom) )/);
});

/**
 * Returns the packages that these files load, also through the files that they import; imports of `without` are not
 * followed.
 */
async function packagesOf(files: string[], without: string[] = []): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: project,
    entryPoints: files,
    outdir: '.build/unwritten',
    write: false,
    metafile: true,
    bundle: true,
    packages: 'external',
    external: without,
    platform: 'node',
    format: 'esm',
    // Node.js keeps an import whose names are all types, so its package has to be installed.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports);
  const names = imported
    .filter((each) => each.external && !/^(node:|[./])/.test(each.path))
    .map((each) => each.path.split('/', each.path.startsWith('@') ? 2 : 1).join('/'));
  return [...new Set(names)].sort();
}
const { dependencies } = JSON.parse(read('package.json'));
const installedForRunning = Object.keys(dependencies);

test('script/start and script/ops on a data folder load only packages that npm ci --omit=dev installs', async () => {
  const ofStart = await packagesOf(['local/start.ts', 'local/worker.ts', 'local/reader.ts']);
  expect(ofStart).toContain('find-my-way');
  const ofOps = await packagesOf(['tools/ops/main.ts'], ['./aws-services.ts']);
  expect(ofOps).toContain('commander');
  expect([...ofStart, ...ofOps].filter((name) => !installedForRunning.includes(name))).toEqual([]);
});

test('script/setup demo installs exactly the packages that script/demo loads beside those of a server', async () => {
  const [, listed = ''] = /^demo_packages='(.+)'$/m.exec(read('script/setup')) ?? [];
  const loaded = await packagesOf(['tools/demo/main.ts']);
  expect(listed.split(' ')).toEqual(loaded.filter((name) => !installedForRunning.includes(name)));
});

test('npm run sbom lists every package of the lockfile, with its version and licence', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], {
    cwd: project,
    maxBuffer: 2 ** 25,
  });
  const { bomFormat, components } = z
    .looseObject({
      bomFormat: z.string(),
      components: z.array(z.looseObject({ purl: z.string(), licenses: z.array(z.unknown()).nonempty() })),
    })
    .parse(JSON.parse(stdout));
  expect(bomFormat).toBe('CycloneDX');
  const ofWorkspace: typeof others = { 'chat-system-client': client ?? {} };
  const locked = Object.entries({ ...others, ...ofWorkspace }).map(([folder, { version }]) => {
    const name = folder.replace(/^.*node_modules\//, '');
    return `pkg:npm/${name.replace('@', '%40')}@${version}`;
  });
  expect([...new Set(components.map(({ purl }) => purl))].sort()).toEqual([...new Set(locked)].sort());
});
