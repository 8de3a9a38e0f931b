import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { launch, ready } from '../support/servers/host.ts';

/** Runs in each process and thread of a host, and writes repeatedly whether undici is loaded there. */
const witness = (reports: string) => `
  const { writeFileSync } = require('node:fs');
  const { threadId } = require('node:worker_threads');
  setInterval(() => {
    const isLoaded = process.moduleLoadList.some((name) => name.endsWith('/undici'));
    writeFileSync(${JSON.stringify(reports)} + '/' + process.pid + '-' + threadId, String(isLoaded));
  }, 20).unref();
`;

test('no process or thread of a host loads undici', async () => {
  const folder = dataFolder();
  const reports = path.join(folder, 'reports');
  const preload = path.join(folder, 'witness.cjs');
  mkdirSync(reports);
  writeFileSync(preload, witness(reports));
  const flags = ['--port', '0', '--data-dir', path.join(folder, 'data')];
  const host = await hostOf(ready(launch(flags, { NODE_OPTIONS: `--require ${preload}` })));
  const client = await Client.connect(host.url);
  const chat = await client.newChat();
  await client.post(`${chat}/messages`, { body: 'hello' });
  await client.get(`${chat}/messages/search?q=hello`);

  // The host with its worker thread, and a reader process.
  await vi.waitFor(() => expect(readdirSync(reports).length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
  await vi.waitFor(() => {
    for (const report of readdirSync(reports)) expect(readFileSync(path.join(reports, report), 'utf8')).toBe('false');
  });
});
