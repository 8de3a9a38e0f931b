import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowedLicenses, packageFolders, thirdPartyNotices } from '../../infra/third-party-notices.ts';

const project = path.resolve(import.meta.dirname, '../..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'chat-system-licenses-'));
  writeFileSync(path.join(folder, 'LICENSE'), readFileSync(path.join(project, 'LICENSE')));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A package in the folder, with these files beside its package.json. */
function packaged(name: string, license: string, files: Record<string, string> = {}, author = 'Ada'): string {
  const inFolder = path.join('node_modules', name);
  mkdirSync(path.join(folder, inFolder), { recursive: true });
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', license, author }), ...files };
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(folder, inFolder, file), text);
  return inFolder;
}

test('every package that script/start needs has a licence that is allowed', () => {
  const { packages } = JSON.parse(readFileSync(path.join(project, 'package-lock.json'), 'utf8'));
  const others = Object.entries<{ license: string; dev?: boolean }>(packages)
    .filter(([, { license, dev }]) => !dev && !allowedLicenses.includes(license))
    .map(([name, { license }]) => `${name}: ${license}`);
  expect(others).toEqual([]);
});

test.each(['GPL-3.0-only', 'AGPL-3.0-or-later', 'SSPL-1.0', 'BUSL-1.1', 'UNLICENSED', 'SEE LICENSE IN LICENSE.md'])(
  'nothing is bundled with a package under %s',
  (license) => {
    expect(() => thirdPartyNotices(folder, [packaged('other', license, { LICENSE: 'All rights' })])).toThrow(
      `other 1.0.0 (${license}): its licence is not one of`,
    );
  },
);

test('a text that several packages have is kept once, below their names, with the notices of each', () => {
  const packages = [
    packaged('one', 'Apache-2.0', { LICENSE: 'The Apache Licence', NOTICE: 'One of one' }),
    packaged('@two/two', 'Apache-2.0', {
      'LICENSE.txt': 'The Apache Licence',
      'index.js.LICENSE.txt': 'A part of two',
    }),
  ];
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  expect(thirdPartyNotices(folder, packages)).toBe(
    [
      '@two/two 1.0.0 (Apache-2.0)\none 1.0.0 (Apache-2.0)\n\nThe Apache Licence',
      '@two/two 1.0.0 (Apache-2.0)\n\nA part of two',
      'one 1.0.0 (Apache-2.0)\n\nOne of one\n',
    ].join(line),
  );
});

test('a package that names its licence alone gets the text of MIT, and no other', () => {
  expect(thirdPartyNotices(folder, [packaged('one', 'MIT')])).toMatch(
    /^one 1\.0\.0 \(MIT\)\n\nCopyright \(c\) Ada\n\nPermission is hereby granted/,
  );
  expect(() => thirdPartyNotices(folder, [packaged('two', 'Apache-2.0')])).toThrow('a text that is not there');
  expect(thirdPartyNotices(folder, [packaged('three', 'MIT-0')])).toBe('');
});

test('a package within a package is one of its own', () => {
  expect(
    packageFolders([
      'lib/a.ts',
      'node_modules/@a/b/x/y.js',
      'node_modules/@a/b/z.js',
      'node_modules/c/node_modules/d/e.js',
    ]),
  ).toEqual(['node_modules/@a/b', 'node_modules/c/node_modules/d']);
});
