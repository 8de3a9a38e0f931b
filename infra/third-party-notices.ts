import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

/**
 * The licences under which something may be in a bundle, or be needed to run. None says anything of our own code; all but
 * the last two ask for their text to go along.
 */
export const allowedLicenses = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'MIT-0', '0BSD'];
const withoutNotice = ['MIT-0', '0BSD'];

const packageFile = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]).optional(),
});

/** The folders of the packages that files are of; a file of ours is of none. */
export const packageFolders = (files: string[]): string[] => [
  ...new Set(files.flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? [])),
];

/**
 * What the licences of packages ask to be kept: each text once, below the packages that are under it.
 *
 * @param folders those of the packages, which are in `project`
 * @throws Error naming a package whose licence is not allowed, or asks for a text that is not there
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
  if (!allowedLicenses.includes(license)) throw new Error(`${title}: its licence is not one of ${allowedLicenses}`);
  const texts = readdirSync(folder)
    .filter((file) => /^(notice|copying)\b|licen[cs]e(\.md|\.txt)?$/i.test(file))
    .map((file) => read(path.join(folder, file)));
  if (texts.length > 0 || withoutNotice.includes(license)) return { title, texts };
  // Some packages name their licence and its holder, and leave the text out.
  if (license !== 'MIT' || !author) throw new Error(`${title}: its licence asks for a text that is not there`);
  return { title, texts: [`Copyright (c) ${author}\n\n${read(mitFile).replace(/^.*?(?=Permission is)/s, '')}`] };
}

const read = (file: string): string => readFileSync(file, 'utf8').replaceAll('\r', '').trim();
const readJson = (file: string): unknown => JSON.parse(read(file));
