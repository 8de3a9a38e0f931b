import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { schemathesis } from '../../tools/stack/native/schemathesis.ts';
import { python } from '../../tools/stack/native/tools.ts';
import { run } from '../../tools/stack/run.ts';
import { requireTools } from '../../tools/stack/tools.ts';
import { Client } from '../support/client/client.ts';
import type { OpenApi } from '../support/client/openapi.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';

const adminKey = 'the admin key';
const folder = import.meta.dirname;
let command: [string, ...string[]];

beforeAll(async () => {
  await requireTools([python]);
  command = await schemathesis(() => undefined);
});

/**
 * Runs Schemathesis as configured in schemathesis.toml, and returns its output. Fails with the output when it finds
 * something.
 *
 * @param token of an application with a chat and a message
 */
const fuzz = (token: string, ...more: string[]): Promise<string> =>
  run([...command, '--config-file', path.join(folder, 'schemathesis.toml'), '--no-color', 'run', ...more], {
    cwd: folder,
    env: { ...process.env, ADMIN_KEY: adminKey, APPLICATION_TOKEN: token, PYTHONDONTWRITEBYTECODE: '1' },
  });

test('no generated request gets a 5xx or an undocumented response', async () => {
  const host = await hostOf(startHost(dataFolder()));
  const client = await Client.connect(host.url);
  const chat = await client.newChat();
  await client.send(chat, 'Hello, world');
  const [, , token = ''] = chat.split('/');
  // Schemathesis resolves the document's relative server against the root instead of the document's URL.
  const printed = await fuzz(token, `${host.url}/openapi.json`, '--url', host.url);
  const [, cases] = /(\d+) generated/.exec(printed) ?? [];
  console.log(`Schemathesis: ${cases} requests`);
  // The number of requests depends on the machine, but every operation is tested.
  expect(printed).toMatch(/Selected: (\d+)\/\1\s+Tested: \1\s/);
  for (const phase of ['Examples', 'Coverage', 'Fuzzing', 'Stateful']) expect(printed).toMatch(`✅ ${phase}`);
  // No request caused a logged error or warning.
  expect(host.stdout()).not.toMatch(/"level":"(ERROR|WARN)"/);
});

test('with an admin key, no generated request gets past the check of the key', async () => {
  const data = dataFolder();
  const host = await hostOf(startHost(data, '--admin-key', adminKey));
  // The document leaves open whether the deployment has a key. This one has.
  const document = (await (await fetch(`${host.url}/openapi.json`)).json()) as OpenApi;
  const operations = Object.values(document.paths['/applications'] ?? {});
  expect(operations).toHaveLength(2);
  for (const operation of operations) Object.assign(operation, { security: [{ adminKey: [] }] });
  const file = path.join(data, 'openapi.json');
  writeFileSync(file, JSON.stringify(document));
  await fuzz('', file, '--url', host.url, '--include-path', '/applications', '--max-time', '10');
});
