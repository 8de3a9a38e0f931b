import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';

const project = path.resolve(import.meta.dirname, '../..');

/** The rooms that each room may import, besides itself and packages; `test` stands for every test. */
const mayImport: Record<string, string[]> = {
  functions: ['lib'],
  infra: ['lib', 'functions'],
  local: ['lib', 'functions', 'tools/cli'],
  client: [],
  console: ['client'],
  'tools/cli': [],
  'tools/statistics': [],
  'tools/texts': [],
  'tools/fold-table': [],
  'tools/console': [],
  'tools/client-types': ['lib'],
  'tools/queue-simulation': ['tools/statistics'],
  'tools/cost': ['lib', 'functions', 'infra', 'tools/statistics', 'tools/texts'],
  'tools/checks': ['lib', 'infra', 'tools/cli'],
  'tools/demo': ['lib', 'client', 'tools/cli', 'tools/texts'],
  'tools/stack': ['lib', 'functions', 'infra', 'local', 'tools/cli'],
  'tools/ops': ['lib', 'functions', 'local', 'tools/cli', 'tools/stack'],
  'tools/bench': [
    ...['lib', 'functions', 'infra', 'local', 'tools/cli', 'tools/statistics', 'tools/texts', 'tools/stack'],
    ...['tools/cost', 'tools/queue-simulation', 'client'],
  ],
};
/** Folders with a lint rule of their own, and one plain folder for each room that has folders. */
const subfolders: Record<string, string[]> = {
  client: ['src'],
  console: ['src'],
  functions: ['api', 'aws', 'deploy'],
  infra: ['constructs'],
  'tools/checks': ['preflight', 'smoke'],
  'tools/stack': ['native'],
  'tools/bench': ['figures'],
};
const rooms = [...Object.keys(mayImport), 'lib', 'test'];

const reported = z.object({
  diagnostics: z.array(
    z.object({ location: z.object({ path: z.string(), start: z.object({ line: z.int() }) }), category: z.string() }),
  ),
});

/**
 * Returns the imports that the linter refuses in these files, as `file:line`. Runs the project's rules in a temporary
 * folder.
 */
async function refused(files: Record<string, string[]>): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-rooms-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { vcs: _, $schema: __, ...configuration } = JSON.parse(readFileSync(path.join(project, 'biome.json'), 'utf8'));
  writeFileSync(path.join(folder, 'biome.json'), JSON.stringify(configuration));
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(folder, file), lines.map((line) => `${line}\n`).join(''));
  }
  const flags = ['lint', '--only=style/noRestrictedImports', '--reporter=json', '--max-diagnostics=none'];
  // The linter exits with an error when it refuses an import, as it should here.
  const { stdout } = await promisify(execFile)(path.join(project, 'node_modules/.bin/biome'), flags, {
    cwd: folder,
  }).catch((failed: { stdout: string }) => failed);
  return reported
    .parse(JSON.parse(stdout))
    .diagnostics.filter(({ category }) => category === 'lint/style/noRestrictedImports')
    .map(({ location }) => `${location.path}:${location.start.line}`);
}

test('the linter refuses every import from another room, except those that follow the layers', async () => {
  const files: Record<string, string[]> = {};
  const forbidden: string[] = [];
  for (const [room, allowed] of Object.entries(mayImport))
    for (const file of [`${room}/file.ts`, ...(subfolders[room] ?? []).map((folder) => `${room}/${folder}/file.ts`)]) {
      const others = rooms.filter((other) => other !== room);
      files[file] = others.map((other) => `import '${path.relative(path.dirname(file), other)}/some.ts';`);
      forbidden.push(...others.flatMap((other, i) => (allowed.includes(other) ? [] : [`${file}:${i + 1}`])));
    }
  expect((await refused(files)).sort()).toEqual(forbidden.sort());
});
