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

/** Writes a package with these files into the folder, and returns its path. */
function packaged(name: string, license: string, files: Record<string, string> = {}, author = 'Ada'): string {
  const inFolder = path.join('node_modules', name);
  mkdirSync(path.join(folder, inFolder), { recursive: true });
  const all = { 'package.json': JSON.stringify({ name, version: '1.0.0', license, author }), ...files };
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(folder, inFolder, file), text);
  return inFolder;
}

test('every package that script/start needs has an allowed licence', () => {
  const { packages } = JSON.parse(readFileSync(path.join(project, 'package-lock.json'), 'utf8'));
  // A link is a workspace of this project, which has an entry of its own.
  const others = Object.entries<{ license: string; dev?: boolean; link?: boolean }>(packages)
    .filter(([, { license, dev, link }]) => !dev && !link && !allowedLicenses.includes(license))
    .map(([name, { license }]) => `${name}: ${license}`);
  expect(others).toEqual([]);
});

test.each(['GPL-3.0-only', 'AGPL-3.0-or-later', 'SSPL-1.0', 'BUSL-1.1', 'UNLICENSED', 'SEE LICENSE IN LICENSE.md'])(
  'bundling a package with the licence %s fails',
  (license) => {
    expect(() => thirdPartyNotices(folder, [packaged('other', license, { LICENSE: 'All rights' })])).toThrow(
      `other 1.0.0 (${license}): the licence is not one of`,
    );
  },
);

test('a licence text that several packages share is kept once, below their names, with the notices of each package', () => {
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

test('a package without a licence text gets the text of MIT if that is its licence, and fails otherwise', () => {
  expect(thirdPartyNotices(folder, [packaged('one', 'MIT')])).toMatch(
    /^one 1\.0\.0 \(MIT\)\n\nCopyright \(c\) Ada\n\nPermission is hereby granted/,
  );
  expect(() => thirdPartyNotices(folder, [packaged('two', 'Apache-2.0')])).toThrow(
    'the text that the licence requires is missing',
  );
  expect(thirdPartyNotices(folder, [packaged('three', 'MIT-0')])).toBe('');
});

test('a package that is nested in another package counts as a package', () => {
  expect(
    packageFolders([
      'lib/a.ts',
      'node_modules/@a/b/x/y.js',
      'node_modules/@a/b/z.js',
      'node_modules/c/node_modules/d/e.js',
    ]),
  ).toEqual(['node_modules/@a/b', 'node_modules/c/node_modules/d']);
});
