import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { flagNames } from '../../infra/flags.ts';
import { singleFlagNames } from '../../infra/single-flags.ts';

import { type Route, routes } from '../../lib/api/routes.ts';
import { settingsCommand } from '../../local/settings.ts';

const project = path.resolve(import.meta.dirname, '../..');
const documents = globSync(['*.md', 'client/README.md', 'docs/**/*.md'], { cwd: project });
const read = (document: string) => readFileSync(path.join(project, document), 'utf8');

/** Returns the rows of the table after a heading, as lists of cells. */
const tableBelow = (document: string, heading: string) =>
  document
    .slice(document.indexOf(`# ${heading}`))
    .split('\n\n')
    .find((block) => block.startsWith('|'))
    ?.split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('the README lists the routes of the route table', () => {
  const expected = Object.values<Route>(routes).map(({ method, alias, path: route, summary }) => [
    `${[method, ...(alias ? [alias] : [])].map((name) => `\`${name}\``).join(', ')} \`${route}\``,
    summary,
  ]);
  expect(tableBelow(read('README.md'), 'Routes')).toEqual(expected);
});

test('the README lists the settings of script/start', () => {
  const expected = settingsCommand().options.map(({ long, envVar, defaultValue, description }) => [
    `\`${long}\``,
    `\`${envVar}\``,
    defaultValue === undefined ? 'none' : long === '--data-dir' ? '`data` in the project' : `\`${defaultValue}\``,
    description,
  ]);
  expect(tableBelow(read('README.md'), 'Settings')).toEqual(expected);
});

test.each([
  ['docs/deploying.md', flagNames],
  ['docs/single.md', singleFlagNames],
])('%s lists the flags of its stages', (document, names) => {
  const flags = tableBelow(read(document), 'Flags')?.map(([flag]) => flag);
  expect(flags).toEqual(names.map((flag) => `\`${flag}\``));
});

test('every link between the documents has an existing target', () => {
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !existsSync(path.join(project, path.dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  );
  expect(broken).toEqual([]);
});

/** Returns the anchors that GitHub generates for a document's headings. */
const anchorsOf = (document: string) =>
  [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every link to a section names a heading of its document', () => {
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\(([^)#\s]*)#([^)]+)\)/g)]
      .map(([, file, anchor]) => [file as string, anchor as string] as const)
      .filter(([file]) => !/^https?:/.test(file))
      .map(([file, anchor]) => [path.join(file && path.dirname(document), file || document), anchor] as const)
      .filter(([target, anchor]) => target.endsWith('.md') && !anchorsOf(target).includes(anchor))
      .map(([target, anchor]) => `${document}: ${target}#${anchor}`),
  );
  expect(broken).toEqual([]);
});

/**
 * Returns the parts of a line that cannot be broken: words, code spans and links. The marker of a list or quotation is
 * not a part.
 */
const unbreakable = (line: string) =>
  line.replace(/^\s*(?:[-*>]|\d+\.)\s+/, '').match(/(?:\[[^\]]*\]\([^)]*\)|`[^`]*`|\S)+/g) ?? [];

test('every line of prose ends by column 120, unless it is a single link or command', () => {
  const proseOf = (document: string) =>
    read(document)
      // Keeps the number of lines, for the message.
      .replace(/<!-- what follows is written.*?<!-- up to here -->|^ *```.*?^ *```/gms, (block) =>
        block.replace(/.*/g, ''),
      )
      .split('\n');
  const long = documents.flatMap((document) =>
    proseOf(document).flatMap((line, index) =>
      line.length > 120 && !line.startsWith('|') && unbreakable(line).length > 1 ? [`${document}:${index + 1}`] : [],
    ),
  );
  expect(long).toEqual([]);
});
