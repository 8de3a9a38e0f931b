import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hadolint } from '../../../tools/stack/native/hadolint.ts';
import { project } from '../../support/servers/checkout.ts';
import { dataFolder, hostOf } from '../../support/servers/for-this-test.ts';
import { startHost } from '../../support/servers/host.ts';

const file = path.join(project, 'deploy/one-machine/Dockerfile');
const text = readFileSync(file, 'utf8');

test('hadolint finds nothing in the Dockerfile', async () => {
  const lint = spawnSync(await hadolint(() => undefined), ['--no-color', file], { encoding: 'utf8' });
  expect([lint.status, lint.stdout, lint.stderr]).toEqual([0, '', '']);
});

test('the health check of the Dockerfile succeeds only while the server responds', async () => {
  const [, json = '[]'] = /^HEALTHCHECK .*? CMD (.*)$/m.exec(text) ?? [];
  const [, ...args] = JSON.parse(json) as string[];
  const host = await hostOf(startHost(dataFolder()));
  const check = args.map((each) => each.replace('http://127.0.0.1:3000/v1', host.url));
  expect(check).not.toEqual(args);
  const statusOf = () => spawnSync(process.execPath, check).status;
  expect(statusOf()).toBe(0);
  await host.stop();
  expect(statusOf()).toBe(1);
});

test('the image has every file that the server imports, and no test', () => {
  const patterns = readFileSync(path.join(project, '.dockerignore'), 'utf8').split('\n');
  const included = patterns.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const files = execFileSync('git', ['ls-files', ...included], { cwd: project, encoding: 'utf8' });
  expect(files).toMatch(/^local\/start\.ts$/m);
  for (const folder of ['functions/', 'lib/', 'local/', 'script/', 'tools/cli/'])
    expect(included).toContain(folder.slice(0, -1));
  expect(files).not.toMatch(/^(test|infra|docs)\//m);
});
