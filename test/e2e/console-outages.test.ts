import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { bodiesOf, openConsole, startBrowser, untilLive } from '../support/client/console-page.ts';
import { type Host, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';

// What the console shows while its server is away. Each test has a server of its own, because it kills it.

let browser: Browser;
let dataDir: string;
let host: Host;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  dataDir = newDataDir();
  host = await startHost(dataDir);
});
afterEach(async () => {
  await host?.stop();
  removeDataDir(dataDir);
});

async function newSystem() {
  const { token } = await new ChatSystem({ url: host.url }).createApplication('Some application');
  return { token, system: new ChatSystem({ url: host.url, token }) };
}
/** Starts the server that was killed again, on the same port. */
async function restart(): Promise<void> {
  host = await startHost(dataDir, '--port', new URL(host.url).port);
}

test('the console says that it catches up while its server is away, and then shows what it missed', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const { page, close } = await openConsole(browser, { url: host.url, token, hash: '#1' });
  onTestFinished(close);
  await untilLive(page);
  await host.stop('SIGKILL');
  await page.getByText('Catching up', { exact: true }).waitFor();
  await restart();
  await system.chat(1).send('after the break');
  await untilLive(page);
  await expect.poll(() => bodiesOf(page)).toEqual(['after the break']);
});

test('a chat that is opened while the server is away is shown, live, when the server is back', async () => {
  const { token, system } = await newSystem();
  for (const name of ['First', 'Second']) await system.createChat({ name });
  await system.chat(2).send('before');
  await system.chat(2).message(1);
  const { page, close } = await openConsole(browser, { url: host.url, token, hash: '#1' }, {}, async (opened) =>
    opened.clock.install(),
  );
  onTestFinished(close);
  await untilLive(page);
  const second = page.getByRole('link', { name: 'Second' });
  await second.waitFor();
  await host.stop('SIGKILL');
  await second.click();
  const alert = page.getByText('The server does not respond.');
  // The client repeats the requests of the chat for 8 s.
  await expect
    .poll(async () => {
      await page.clock.fastForward(1_000);
      return alert.count();
    })
    .toBe(1);
  await restart();
  await expect
    .poll(async () => {
      await page.clock.fastForward(1_000);
      return bodiesOf(page);
    })
    .toEqual(['before']);
  await system.chat(2).send('after');
  await expect.poll(() => bodiesOf(page)).toEqual(['before', 'after']);
});
