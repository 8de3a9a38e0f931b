import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { chromiumFile } from '../support/servers/browser.ts';
import { type Host, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';

// The console in a real Chromium, on the embedded engine.

/** What a browser loads for the console at most, compressed. */
const mostBytes = 40_000;
const axe = readFileSync(path.resolve(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
/** Texts that would run a script in a page that takes them for HTML. */
const hostile = [
  '<script>window.hit = 1</script>',
  '<img src=x onerror="window.hit = 1">',
  '"><svg onload="window.hit = 1">',
  "'-window.hit-'",
  'javascript:window.hit=1',
  '<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>',
  '</em><em><img src=x onerror="window.hit = 1"></em>',
  '&lt;img src=x onerror=window.hit=1&gt;',
  '{{constructor.constructor("window.hit=1")()}}',
  '<a href="javascript:window.hit=1" autofocus onfocus="window.hit=1">x</a>',
];

let host: Host;
let browser: Browser;
const dataDir = newDataDir();
beforeAll(async () => {
  host = await startHost(dataDir, '--rollup-seconds', '1');
  browser = await chromium.launch({
    executablePath: chromiumFile(),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
  removeDataDir(dataDir);
});

const url = () => host.url;
async function newSystem(name = 'Some application') {
  const { token } = await new ChatSystem({ url: url() }).createApplication(name);
  return { token, system: new ChatSystem({ url: url(), token }) };
}

/** Opens the console. Every error on the page, and every request with the token in its URL, is reported. */
async function open(token: string, hash = '', more: object = {}, base = url()) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...more });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => request.url().includes(token) && faults.push(request.url()));
  await page.goto(`${base}/console${hash}`);
  await page.fill('#token', token);
  await page.getByRole('button', { name: 'Open application' }).click();
  await page.locator('.is-live').waitFor();
  return { page, faults, close: () => context.close() };
}
const bodies = (page: Page) => page.locator('.body').allTextContents();
const seriousFaults = async (page: Page) => {
  // The policy forbids scripts from elsewhere, so the checker runs through the debugger.
  await page.evaluate(axe);
  const { violations } = await page.evaluate<{ violations: { id: string; impact: string; nodes: unknown[] }[] }>(
    'axe.run()',
  );
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map((each) => JSON.stringify(each));
};

test('the console is one file of at most 40 kB, compressed, that loads nothing else and runs only its own script', async () => {
  const response = await fetch(`${url()}/console`, { headers: { 'accept-encoding': 'identity' } });
  const text = await response.text();
  expect(gzipSync(text).length).toBeLessThanOrEqual(mostBytes);
  expect(text).not.toMatch(/<(link|img|script|iframe)[^>]+(src|href)="(?!data:)/);
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  for (const part of ["default-src 'none'", "connect-src 'self'", "trusted-types 'none'"])
    expect(policy).toContain(part);
  const page = await browser.newPage();
  await page.goto(`${url()}/console`);
  const ran = await page.evaluate(`(() => {
    const script = document.createElement('script');
    try {
      script.textContent = 'window.hit = 1';
    } catch {
      script.append('window.hit = 1');
    }
    document.body.append(script);
    return 'hit' in window;
  })()`);
  expect(ran).toBe(false);
  await page.close();
});

test('messages that are created, edited and deleted elsewhere appear by themselves, and so do chats', async () => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'First' });
  const chat = system.chat(1);
  const { page, faults, close } = await open(token, '#1');
  await chat.send('one', { sender: 'ada', metadata: { order: 1042 } });
  await chat.send('two');
  await expect.poll(() => bodies(page)).toEqual(['one', 'two']);
  expect(await page.locator('.message').first().textContent()).toMatch(/^ada#1.*\{"order":1042\}$/);
  await chat.editMessage(1, { body: 'one, edited' });
  await chat.deleteMessage(2);
  await expect.poll(() => bodies(page)).toEqual(['one, edited']);
  await system.createChat({ name: 'Second' });
  await page.locator('.chats', { hasText: 'Second' }).waitFor();
  await expect.poll(async () => (await chat.get()).messages_count).toBe(1);
  // The tab keeps what was entered.
  await page.reload();
  await page.locator('.counts', { hasText: '1 message' }).waitFor();
  expect(faults).toEqual([]);
  await close();
});

test('a user sends, edits and deletes messages, and confirms a deletion', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const { page, faults, close } = await open(token, '#1');
  await page.getByLabel('Sender').fill('ada');
  await page.getByLabel('Message', { exact: true }).fill('Hello');
  await page.keyboard.press('Enter');
  await expect.poll(() => bodies(page)).toEqual(['Hello']);
  await page.getByRole('button', { name: 'Edit message 1' }).click();
  await page.locator('dialog textarea').fill('Hello again');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => bodies(page)).toEqual(['Hello again']);
  await page.getByRole('button', { name: 'Delete message 1' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(await bodies(page)).toEqual(['Hello again']);
  await page.getByRole('button', { name: 'Delete message 1' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect.poll(() => bodies(page)).toEqual([]);
  expect(faults).toEqual([]);
  await close();
});

test('a long chat scrolls both ways with few elements, and shows the message of a number', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const chat = system.chat(1);
  for (let batch = 0; batch < 3; batch++)
    await chat.sendAll(Array.from({ length: 1_000 }, (_, i) => ({ body: `message ${batch * 1_000 + i + 1}` })));
  await chat.message(3_000);
  const { page, faults, close } = await open(token, '#1');
  const numbers = () => page.locator('.message').evaluateAll((rows) => rows.map((row) => Number(row.dataset.number)));
  await expect.poll(async () => (await numbers()).at(-1)).toBe(3_000);
  await page.getByLabel('Number of a message').fill('1500');
  await page.getByRole('button', { name: 'Go' }).click();
  await page.locator('.target[data-number="1500"]').waitFor();
  const scroll = async (by: number, until: (shown: number[]) => boolean) => {
    await expect
      .poll(
        async () => {
          await page.locator('section[aria-label=Messages]').evaluate((view, y) => view.scrollBy(0, y), by);
          const shown = await numbers();
          expect(shown.length).toBeLessThanOrEqual(200);
          expect(shown).toEqual(Array.from(shown, (_, i) => (shown[0] as number) + i));
          return until(shown);
        },
        { interval: 30 },
      )
      .toBe(true);
  };
  await scroll(-4_000, (shown) => (shown[0] as number) < 1_200);
  await scroll(4_000, (shown) => (shown.at(-1) as number) > 1_600);
  await page.getByRole('button', { name: 'Newest' }).click();
  await expect.poll(async () => (await numbers()).at(-1)).toBe(3_000);
  expect(faults).toEqual([]);
  await close();
});

test('a search in the chat and in the application highlights its matches, and a match leads to its message', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  await system.createChat();
  await system.chat(1).send('Where is <b>order</b> 1042?');
  await system.chat(2).send('Another ORDER');
  await expect.poll(async () => (await system.search('order').page()).total).toBe(2);
  const { page, faults, close } = await open(token, '#1');
  const search = async (where: string) => {
    await page.getByLabel('Where to search').selectOption(where);
    await page.getByLabel('Text to search').fill('order');
    await page.getByLabel('Text to search').press('Enter');
  };
  const found = () => page.locator('.results li p').allTextContents();
  await search('chat');
  await expect.poll(found).toEqual(['Where is <b>order</b> 1042?']);
  await search('all');
  await expect.poll(found).toEqual(['Another ORDER', 'Where is <b>order</b> 1042?']);
  expect(await page.locator('.results mark').allTextContents()).toEqual(['ORDER', 'order']);
  await page.locator('.results a').first().click();
  await page.locator('.target[data-number="1"]', { hasText: 'Another ORDER' }).waitFor();
  expect(faults).toEqual([]);
  await close();
});

test('hostile names, bodies, senders and metadata are shown as text, and run nothing', async () => {
  const { token, system } = await newSystem(hostile[0]);
  await system.createChat({ name: hostile[1] as string });
  await system.chat(1).sendAll(hostile.map((text) => ({ body: text, sender: text, metadata: { [text]: text } })));
  await system.chat(1).message(hostile.length);
  await expect.poll(async () => (await system.search('hit').page()).total).toBe(hostile.length);
  const { page, faults, close } = await open(token, '#1');
  await expect.poll(() => bodies(page)).toEqual(hostile);
  expect(await page.locator('.message header strong').allTextContents()).toEqual(hostile);
  await page.getByLabel('Text to search').fill('hit');
  await page.getByLabel('Text to search').press('Enter');
  await expect.poll(() => page.locator('.results li p').allTextContents()).toEqual(hostile.toReversed());
  const facts = "['hit' in window, document.querySelectorAll('img, svg, iframe').length]";
  expect(await page.evaluate(facts)).toEqual([false, 0]);
  expect(faults).toEqual([]);
  await close();
});

test('the console makes an access token for a chat, and shows three lines of code that contain it', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const { page, close } = await open(token, '#1');
  await page.getByRole('button', { name: 'Access token' }).click();
  await page.getByLabel('Sender of its messages').fill('ada');
  await page.getByRole('button', { name: 'Create' }).click();
  const lines = (await page.locator('.program').textContent())?.trim().split('\n') ?? [];
  expect(lines).toHaveLength(3);
  const made = (await page.locator('.token').textContent())?.trim() ?? '';
  expect(lines[1]).toContain(made);
  const message = await new ChatSystem({ url: url(), token: made }).chat(1).send('Hello');
  expect(message.sender).toBe('ada');
  await close();
});

test('the console works behind a proxy that adds a prefix to the path', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  await system.chat(1).send('Hello');
  const { hostname, port } = new URL(url());
  const proxy = createServer((incoming, outgoing) => {
    const target = incoming.url?.replace(/^\/some\/prefix/, '') ?? '';
    const forwarded = request({ hostname, port, path: target, method: incoming.method, headers: incoming.headers });
    forwarded.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/some/prefix/v1`;
  const { page, faults, close } = await open(token, '#1', {}, base);
  await expect.poll(() => bodies(page)).toEqual(['Hello']);
  expect(faults).toEqual([]);
  await close();
  proxy.closeAllConnections();
  proxy.close();
});

test('an operator logs in with the admin key, and opens an application from the list', async () => {
  const folder = newDataDir();
  const closed = await startHost(folder, '--admin-key', 'the key');
  onTestFinished(async () => {
    await closed.stop();
    removeDataDir(folder);
  });
  await new ChatSystem({ url: closed.url, adminKey: 'the key' }).createApplication('x'.repeat(255));
  const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
  await page.goto(`${closed.url}/console`);
  await page.getByLabel('Admin key of the system').fill('another key');
  await page.getByRole('button', { name: 'List applications' }).click();
  expect(await page.getByRole('alert').textContent()).toMatch(/^The admin key is missing or wrong\.Request /);
  await page.getByLabel('Admin key of the system').fill('the key');
  await page.getByRole('button', { name: 'List applications' }).click();
  await page.locator('.cards button').waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await page.locator('.cards button').click();
  await page.locator('.is-live').waitFor();
  await page.getByText('There is no chat yet.').waitFor();
  await page.close();
});

test('a problem is a sentence with the id of its request', async () => {
  const page = await browser.newPage();
  await page.goto(`${url()}/console`);
  await page.fill('#token', 'no such token');
  await page.getByRole('button', { name: 'Open application' }).click();
  expect(await page.getByRole('alert').textContent()).toMatch(/\.Request [\w-]{20,}$/);
  await page.close();
});

test('the console says that it catches up while its server is away, and then shows what it missed', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  const { page, close } = await open(token, '#1');
  const { port } = new URL(url());
  await host.stop('SIGKILL');
  await page.locator('.is-catching-up').waitFor();
  host = await startHost(dataDir, '--rollup-seconds', '1', '--port', port);
  await system.chat(1).send('after the break');
  await page.locator('.is-live').waitFor();
  await expect.poll(() => bodies(page)).toEqual(['after the break']);
  await close();
});

test.each(['light', 'dark'] as const)('axe finds nothing serious on the console in %s', async (colorScheme) => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'Some chat' });
  await system.chat(1).send('שלום', { sender: 'ada', metadata: { order: 1042 } });
  await expect.poll(async () => (await system.search('שלום').page()).total).toBe(1);
  const start = await browser.newPage({ colorScheme, viewport: { width: 390, height: 800 } });
  await start.goto(`${url()}/console`);
  expect(await seriousFaults(start)).toEqual([]);
  await start.getByRole('button', { name: 'List applications' }).click();
  await start.getByText('Some application').first().waitFor();
  expect(await seriousFaults(start)).toEqual([]);
  expect(await start.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await start.close();
  for (const width of [390, 1440]) {
    const { page, close } = await open(token, '#1', { colorScheme, viewport: { width, height: 800 } });
    await page.locator('.message').waitFor();
    expect(await seriousFaults(page), `${width}`).toEqual([]);
    await page.getByLabel('Text to search').fill('שלום');
    await page.getByLabel('Text to search').press('Enter');
    await page.locator('.results mark').waitFor();
    expect(await seriousFaults(page), `search, ${width}`).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await close();
  }
});
