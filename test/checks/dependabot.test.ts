import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(project, file), 'utf8');

const update = z.strictObject({
  'package-ecosystem': z.string(),
  directory: z.literal('/'),
  schedule: z.strictObject({ interval: z.literal('weekly') }),
  cooldown: z.strictObject({ 'default-days': z.number() }),
  groups: z.record(
    z.string(),
    z.strictObject({ patterns: z.array(z.string()), 'exclude-patterns': z.array(z.string()).optional() }),
  ),
  ignore: z
    .array(
      z.strictObject({
        'dependency-name': z.string(),
        versions: z.array(z.string()).optional(),
        'update-types': z.array(z.templateLiteral(['version-update:semver-', z.enum(['major', 'minor'])])).optional(),
      }),
    )
    .default([]),
});
const { updates } = z
  .strictObject({ version: z.literal(2), updates: z.array(update) })
  .parse(parse(read('.github/dependabot.yml')));
const ignoredOf = (ecosystem: string) =>
  updates.find((each) => each['package-ecosystem'] === ecosystem)?.ignore.map((each) => each['dependency-name']) ?? [];

test('Dependabot keeps packages, actions and images up to date', () => {
  expect(updates.map((each) => each['package-ecosystem'])).toEqual(['npm', 'github-actions', 'docker-compose']);
});

test('every dependency that Dependabot holds back is in use, and decision 5 gives the reason', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  const used = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  for (const name of ignoredOf('npm')) {
    expect(
      used.some((each) => path.matchesGlob(each, name)),
      name,
    ).toBe(true);
    expect(read('docs/decisions/0005-libraries.md')).toContain(name.replace(/\*$/, ''));
  }
  const images = read('docker-compose.localstack.yml');
  for (const name of ignoredOf('docker-compose')) expect(images).toContain(`image: ${name}:`);
});
