import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

/**
 * The allowed licences of the packages that are bundled, or installed to run the service. None of them restricts the
 * licence of our own code. All except the last two require their text to be distributed with the package.
 */
export const allowedLicenses = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'MIT-0', '0BSD'];
const withoutNotice = ['MIT-0', '0BSD'];

const packageFile = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]).optional(),
});

/** Returns the folders of the packages that the files belong to. Files outside `node_modules` belong to none. */
export const packageFolders = (files: string[]): string[] => [
  ...new Set(files.flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [])),
];

/**
 * Returns the notices that the licences of the packages require: each licence text once, below the names of its
 * packages.
 *
 * @param folders the folders of the packages, relative to `project`
 * @throws Error naming a package whose licence is not allowed, or whose required licence text is missing
 */
export function thirdPartyNotices(project: string, folders: string[]): string {
  const packagesUnder = new Map<string, string[]>();
  for (const folder of folders.toSorted()) {
    const { title, texts } = licenseOf(path.join(project, folder), path.join(project, 'LICENSE'));
    for (const text of texts) packagesUnder.set(text, [...(packagesUnder.get(text) ?? []), title]);
  }
  return [...packagesUnder]
    .map(([text, packages]) => `${packages.join('\n')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licenseOf(folder: string, mitFile: string): { title: string; texts: string[] } {
  const { name, version, license, author } = packageFile.parse(readJson(path.join(folder, 'package.json')));
  const title = `${name} ${version} (${license})`;
  if (!allowedLicenses.includes(license))
    throw new Error(`${title}: the licence is not one of ${allowedLicenses.join(', ')}`);
  const texts = readdirSync(folder)
    .filter((file) => /^(notice|copying)\b|licen[cs]e(\.md|\.txt)?$/i.test(file))
    .map((file) => read(path.join(folder, file)));
  if (texts.length > 0 || withoutNotice.includes(license)) return { title, texts };
  // Some packages under MIT name licence and author in package.json only. The text is always the same, so take ours.
  if (license !== 'MIT' || !author) throw new Error(`${title}: the text that the licence requires is missing`);
  return { title, texts: [`Copyright (c) ${author}\n\n${read(mitFile).replace(/^.*?(?=Permission is)/s, '')}`] };
}

const read = (file: string): string => readFileSync(file, 'utf8').replaceAll('\r', '').trim();
const readJson = (file: string): unknown => JSON.parse(read(file));
