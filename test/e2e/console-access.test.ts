import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatSystem, type ChatSystemError } from '../../client/src/index.ts';
import { bodiesOf, openConsole, startBrowser, untilLive } from '../support/client/console-page.ts';
import { type Host, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';

// Who may log in to the console, what they may do there, and where their secrets are kept.

const adminKey = 'the admin key';
let host: Host;
let browser: Browser;
let operator: ChatSystem;
const dataDir = newDataDir();
beforeAll(async () => {
  host = await startHost(dataDir, '--admin-key', adminKey, '--rollup-seconds', '1');
  operator = new ChatSystem({ url: host.url, adminKey });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
  removeDataDir(dataDir);
});

async function newSystem(name = 'Some application') {
  const { token } = await operator.createApplication(name);
  return { token, system: new ChatSystem({ url: host.url, token }) };
}
async function newPage(more: object = {}): Promise<Page> {
  const context = await browser.newContext(more);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(`${host.url}/console`);
  return page;
}
async function open(token: string, hash = '') {
  const opened = await openConsole(browser, { url: host.url, token, hash });
  onTestFinished(opened.close);
  return opened;
}
async function logInAsOperator(page: Page, key = adminKey): Promise<void> {
  await page.getByLabel('Admin key of the system').fill(key);
  await page.getByRole('button', { name: 'List applications' }).click();
}
const problemOf = (page: Page) => page.getByRole('alert').textContent();

test('an operator logs in with the admin key, and opens an application from the list', async () => {
  await newSystem('x'.repeat(255));
  const page = await newPage({ viewport: { width: 390, height: 800 } });
  await logInAsOperator(page, 'another key');
  expect(await problemOf(page)).toMatch(/^The admin key is missing or wrong\.Request [\w-]{20,}$/);
  await logInAsOperator(page);
  const card = page.getByRole('listitem').filter({ hasText: 'xxx' });
  await card.waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await card.getByRole('button', { name: '0 chats' }).click();
  await untilLive(page);
  await page.getByText('There is no chat yet.').waitFor();
});

test('an operator renames an application, and deletes it after a confirmation that says what is lost', async () => {
  const { system } = await newSystem('Some nam');
  await system.createChat();
  await expect.poll(async () => (await system.getApplication()).chats_count).toBe(1);
  const page = await newPage();
  await logInAsOperator(page);
  await page.getByRole('button', { name: 'Rename Some nam' }).click();
  await page.getByLabel('Name', { exact: true }).fill(' ');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
  expect(await problemOf(page)).toMatch(/^name must not be blank\.Request [\w-]{20,}$/);
  await page.getByLabel('Name', { exact: true }).fill('Some name');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Rename Some name', exact: true }).waitFor();
  await expect.poll(async () => (await system.getApplication()).name).toBe('Some name');

  const remove = page.getByRole('button', { name: 'Delete Some name' });
  await remove.click();
  expect(await page.getByRole('dialog').textContent()).toMatch(
    /its chats \(1 at the last count\) and all their messages are lost\. .* Its token and its access tokens stop working\.Some name/,
  );
  await page.getByRole('button', { name: 'Cancel' }).click();
  await remove.click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const code = () =>
    system.getApplication().then(
      () => 'no error',
      (error: ChatSystemError) => error.code,
    );
  await expect.poll(code).toBe('access_token_invalid');
  await remove.waitFor({ state: 'detached' });
});

test('a problem is a sentence with the id of its request', async () => {
  const page = await newPage();
  await page.fill('#token', 'no such token');
  await page.getByRole('button', { name: 'Open application' }).click();
  expect(await problemOf(page)).toMatch(/^The token is not valid\. .*\.Request [\w-]{20,}$/);
});

test('an access token is made for a chat, and its three lines use it', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const { page } = await open(token, '#1');
  await page.getByRole('button', { name: 'Access token' }).click();
  await page.getByLabel('Sender of its messages').fill('ada');
  await page.getByRole('button', { name: 'Create' }).click();
  const lines = (await page.locator('.program').textContent())?.trim().split('\n') ?? [];
  expect(lines).toHaveLength(3);
  const made = (await page.locator('.token').textContent())?.trim() ?? '';
  expect(lines[1]).toContain(made);
  const message = await new ChatSystem({ url: host.url, token: made }).chat(1).send('Hello');
  expect(message.sender).toBe('ada');
});

test('the holder of an access token that is limited to a chat sees and does what the token allows', async () => {
  const { system } = await newSystem();
  for (const name of ['First', 'Second']) await system.createChat({ name });
  await system.chat(2).send('from the server');
  // The list of chats is not live for this token, so it must be complete when the page reads it.
  await system.chat(2).message(1);
  const { access_token } = await system.createAccessToken({ chats: [2], can: ['read', 'create'], sender: 'ada' });
  const { page, faults } = await open(access_token);
  await page.getByText('with an access token').waitFor();
  await expect.poll(() => page.locator('.chats strong').allTextContents()).toEqual(['Second']);
  for (const name of ['New chat', 'Access token', 'Rename the chat', 'Delete the chat'])
    expect(await page.getByRole('button', { name }).count(), name).toBe(0);

  await page.getByRole('link', { name: 'Second' }).click();
  await untilLive(page);
  await expect
    .poll(() => page.getByLabel('Where to search').locator('option').allTextContents())
    .toEqual(['this chat']);
  await page.getByLabel('Message', { exact: true }).fill('from the browser');
  await page.keyboard.press('Enter');
  await expect.poll(() => bodiesOf(page)).toEqual(['from the server', 'from the browser']);
  expect(await page.locator('.message').last().locator('strong').textContent()).toBe('ada');
  await system.chat(2).send('live');
  await expect.poll(() => bodiesOf(page)).toEqual(['from the server', 'from the browser', 'live']);
  expect(faults).toEqual([]);

  await page.getByRole('button', { name: 'Delete message 1' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  expect(await problemOf(page)).toMatch(/edit.*\.Request [\w-]{20,}$/);
  await page.keyboard.press('Escape');
  await page.evaluate("location.hash = '1'");
  await expect.poll(() => problemOf(page)).toMatch(/^The application has no chat 1.*\.Request [\w-]{20,}/);

  await page.getByRole('link', { name: 'Second' }).click();
  await untilLive(page);
  await system.endAccessTokens();
  await page.getByText('Not live').waitFor({ timeout: 100_000 });
  expect(await page.getByRole('alert').last().textContent()).toMatch(/^The token is not valid\. /);
});

test('a page that the server refuses is not requested again and again', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  await system.chat(1).sendAll(Array.from({ length: 200 }, (_, i) => ({ body: `message ${i + 1}` })));
  await system.chat(1).message(200);
  const { page } = await open(token, '#1');
  await page.locator('.message').first().waitFor();
  // As when the token has expired.
  let refused = 0;
  await page.route('**/messages?*', (route) => {
    refused++;
    const problem = { code: 'access_token_expired', detail: 'The token has expired.' };
    return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) });
  });
  // Near the first message, the page reads older ones.
  await page.getByLabel('Messages', { exact: true }).evaluate((view) => view.scrollTo(0, 0));
  await page.getByText('The access token has expired.').waitFor();
  await page.waitForTimeout(1_000);
  // One for the scroll, and perhaps one by the regular refresh.
  expect(refused).toBeLessThan(4);
});

test('a key or token with a character that was pasted with it is refused at once, and the page says why', async () => {
  const { token } = await newSystem();
  const page = await newPage();
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.fill('#token', `${token}\u200b`);
  await page.getByRole('button', { name: 'Open application' }).click();
  await page.getByText(/^It contains a character that no key or token contains\. Copy it again\.$/).waitFor();
  await page.fill('#admin-key', '“the admin key”');
  await page.getByRole('button', { name: 'List applications' }).click();
  await page.getByText(/^It contains a character that no key or token contains\. Copy it again\.$/).waitFor();
  expect(requests).toEqual([]);
});

test('an access token that may not read does not log in, and the page says why', async () => {
  const { system } = await newSystem();
  const { access_token } = await system.createAccessToken({ can: ['create'] });
  const page = await newPage();
  await page.fill('#token', access_token);
  await page.getByRole('button', { name: 'Open application' }).click();
  expect(await problemOf(page)).toMatch(/read.*\.Request [\w-]{20,}$/);
});

test.each(['admin key', 'token'] as const)(
  'the %s is kept in sessionStorage only, and is never in a URL',
  async (kind) => {
    const { token, system } = await newSystem('A kept application');
    await system.createChat({ name: 'Some chat' });
    const secrets = kind === 'token' ? [token] : [token, adminKey];
    const page = await newPage();
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url(), request.headers().referer ?? ''));
    page.on('framenavigated', (frame) => urls.push(frame.url()));
    if (kind === 'token') {
      await page.fill('#token', token);
      await page.getByRole('button', { name: 'Open application' }).click();
    } else {
      // The list that the page reads at the login has stored applications only.
      await expect.poll(async () => (await system.getApplication()).name).toBe('A kept application');
      await logInAsOperator(page);
      await page.getByRole('button', { name: 'A kept application' }).first().click();
    }
    await page.getByRole('link', { name: 'Some chat' }).click();
    await untilLive(page);
    await page.getByLabel('Message', { exact: true }).fill('Hello');
    await page.keyboard.press('Enter');
    await page.locator('.message').waitFor();
    await page.reload();
    await page.locator('.message').waitFor();

    urls.push(page.url());
    const found = urls.filter((each) => secrets.some((secret) => decodeURIComponent(each).includes(secret)));
    expect(found).toEqual([]);
    expect(urls.length).toBeGreaterThan(10);
    const kept = await page.evaluate<string>(`(async () => JSON.stringify([
    { ...localStorage }, document.cookie, await indexedDB.databases(), await caches.keys(), history.state, name,
  ]))()`);
    expect(JSON.parse(kept)).toEqual([{}, '', [], [], null, '']);
    // Another tab of the same browser has to log in.
    const other = await page.context().newPage();
    await other.goto(`${host.url}/console`);
    await other.getByRole('button', { name: 'Open application' }).waitFor();
  },
);
