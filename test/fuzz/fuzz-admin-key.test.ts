import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { OpenApi } from '../support/client/openapi.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';
import { adminKey, fuzz } from './schemathesis.ts';

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
