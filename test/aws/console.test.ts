import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { patient } from '../support/client/client.ts';
import { bodiesOf, openConsole, startBrowser, untilLive } from '../support/client/console-page.ts';
import { deployment, settled } from '../support/servers/deployment.ts';

// The console in a real Chromium, on the deployed stack: below the path of a stage of API Gateway, live over AppSync.

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser?.close());

test('on AWS, a user logs in, follows a chat live, and writes to it', async () => {
  const api = await deployment();
  const { token } = await api.operator.createApplication('Some application', patient);
  const server = api.system(token, patient);
  await server.createChat({ name: 'Some chat' });
  const sockets: string[] = [];
  const { page, faults, close } = await openConsole(
    browser,
    { url: api.base, token, hash: '#1' },
    {},
    async (opened) => {
      opened.on('websocket', (socket) => sockets.push(socket.url()));
    },
  );
  await untilLive(page);
  await server.chat(1).send('from elsewhere', { sender: 'ada' });
  await expect.poll(() => bodiesOf(page), settled).toEqual(['from elsewhere']);
  await page.getByLabel('Message', { exact: true }).fill('from the console');
  await page.keyboard.press('Enter');
  await expect.poll(() => bodiesOf(page), settled).toEqual(['from elsewhere', 'from the console']);
  await page.getByText('not stored yet').first().waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Rename the chat' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Some other chat');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Some other chat' }).waitFor();
  await server.chat(1).deleteMessage(1);
  await expect.poll(() => bodiesOf(page), settled).toEqual(['from the console']);
  await expect.poll(async () => (await server.search('console').page()).total, settled).toBe(1);
  await page.getByLabel('Text to search').fill('console');
  await page.getByLabel('Text to search').press('Enter');
  await expect.poll(() => page.locator('.results mark').allTextContents()).toEqual(['console']);
  await page.reload();
  await expect.poll(() => bodiesOf(page), settled).toEqual(['from the console']);
  expect(sockets.length).toBeGreaterThan(0);
  expect(faults).toEqual([]);
  await close();
});

test('on AWS, the operator lists the applications', async () => {
  const { base, operator } = await deployment();
  await operator.createApplication('Some application', patient);
  const page = await browser.newPage();
  await page.goto(`${base}/console`);
  await page.getByRole('button', { name: 'List applications' }).click();
  await page.getByRole('button', { name: 'Rename Some application' }).first().waitFor();
  await page.close();
});
