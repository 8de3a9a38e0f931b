import { expect, test } from 'vitest';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { fuzz } from './schemathesis.ts';

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
