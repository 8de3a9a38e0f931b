import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { installClient } from '../support/client/package.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

const project = path.resolve(import.meta.dirname, '../..');
const entry = path.join(project, 'client/src/index.ts');
const run = promisify(execFile);

/** The bytes that a page loads for the client at most, minified and gzipped. */
const maxBytes = 8_000;

test('the client is small, and needs no other package', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
  });
  expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThanOrEqual(maxBytes);
  expect(Object.keys(metafile.inputs).filter((file) => !file.startsWith('client/src/'))).toEqual([]);
});

test('the package of the client has its code, its types, its README and its licence, and nothing else', async () => {
  const folder = dataFolder();
  const files = await installClient(folder);
  const sources = [...new Set(files.flatMap((file) => /^dist\/(\w[\w-]*)\.(js|d\.ts)$/.exec(file)?.[1] ?? []))];
  expect(files).toEqual(
    [
      ...sources.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]),
      ...['LICENSE', 'README.md', 'package.json'],
    ].sort(),
  );
  expect(sources).toContain('index');
  expect(readFileSync(path.join(project, 'client/LICENSE'), 'utf8')).toBe(
    readFileSync(path.join(project, 'LICENSE'), 'utf8'),
  );

  // The types of the package are checked as those of a project that uses it, for browsers and for Node.js.
  const use = `import { ChatSystem, type Message } from 'chat-system-client';
    const sent: Promise<Message> = new ChatSystem({ url: 'http://localhost:3000/v1' }).chat(1).send('Hello');
    export default sent;`;
  writeFileSync(path.join(folder, 'use.ts'), use);
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', ''];
  const tsc = path.join(project, 'node_modules/.bin/tsc');
  await run(tsc, [...strict, '--lib', 'es2022,dom', 'use.ts'], { cwd: folder }).catch(({ stdout }) =>
    expect.fail(stdout),
  );
});

test('the README of the client names every method and setting of it', () => {
  const readme = readFileSync(path.join(project, 'client/README.md'), 'utf8');
  const source = readFileSync(path.join(project, 'client/src/chat-system.ts'), 'utf8');
  const [, api = ''] = source.split(/^export class ChatSystem \{/m);
  const methods = [...api.matchAll(/^ {2}(?:async )?(\w+)(?:<.*>)?\(/gm)].map(([, name]) => name);
  expect(methods.length).toBeGreaterThan(25);
  for (const name of methods) if (name !== 'constructor') expect(readme, name).toContain(`.${name}(`);
  const settings = readFileSync(path.join(project, 'client/src/requests.ts'), 'utf8');
  const [options = ''] = /^export interface Settings \{[\s\S]*?^\}/m.exec(settings) ?? [];
  for (const [, name] of options.matchAll(/^ {2}(\w+)\??:/gm)) expect(readme, name).toContain(`\`${name}\``);
});
