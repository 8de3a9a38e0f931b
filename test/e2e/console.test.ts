import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { bodiesOf, openConsole, startBrowser, untilLive } from '../support/client/console-page.ts';
import { type Host, newDataDir, removeDataDir, startHost } from '../support/servers/host.ts';

// The console in a real Chromium, on the embedded engine. console-access.test.ts has logins and the registry.

/** What a browser loads for the console at most, compressed. */
const mostBytes = 40_000;
/** The everyday length of the long chat; `npm run test:console` has 1,000,000. */
const longChat = Number(process.env.MESSAGES ?? 3_000);
/** How long it may take until a chat of this length can be read and searched, in milliseconds. */
const longChatMs = 60_000 + longChat;
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
  browser = await startBrowser();
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

/** Opens the console, and waits until it is live. */
async function open(token: string, hash = '', more: object = {}, base = url()) {
  const opened = await openConsole(browser, { url: base, token, hash }, more);
  await untilLive(opened.page);
  return opened;
}
/** Returns whether the user sees a message. */
const inView = (page: Page, number: number): Promise<boolean> =>
  page.evaluate<boolean>(`(() => {
    const row = document.querySelector('[data-number="${number}"].target')?.getBoundingClientRect();
    const view = document.querySelector('[aria-label=Messages]').getBoundingClientRect();
    return row !== undefined && row.top >= view.top && row.bottom <= view.bottom;
  })()`);
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
  await expect.poll(() => bodiesOf(page)).toEqual(['one', 'two']);
  expect(await page.locator('.message').first().textContent()).toMatch(/^ada#1.*\{"order":1042\}$/);
  await chat.editMessage(1, { body: 'one, edited' });
  await chat.deleteMessage(2);
  await expect.poll(() => bodiesOf(page)).toEqual(['one, edited']);
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
  await expect.poll(() => bodiesOf(page)).toEqual(['Hello']);
  await page.getByRole('button', { name: 'Edit message 1' }).click();
  await page.locator('dialog textarea').fill('Hello again');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => bodiesOf(page)).toEqual(['Hello again']);
  await page.getByRole('button', { name: 'Delete message 1' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(await bodiesOf(page)).toEqual(['Hello again']);
  await page.getByRole('button', { name: 'Delete message 1' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect.poll(() => bodiesOf(page)).toEqual([]);
  expect(faults).toEqual([]);
  await close();
});

test('a user renames a chat, and deletes it after a confirmation that says what is lost', async () => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'Some nam' });
  await system.chat(1).send('Hello');
  await expect.poll(async () => (await system.chat(1).get()).messages_count).toBe(1);
  const [{ page, faults, close }, other] = [await open(token, '#1'), await open(token, '#1')];
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Rename the chat' }).click();
  await dialog.getByLabel('Name').fill('\u2003');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(() => dialog.getByRole('alert').allTextContents())
    .toEqual([expect.stringMatching(/^name must not be blank\.Request [\w-]{20,}$/)]);
  await dialog.getByLabel('Name').fill('Some name');
  await dialog.getByRole('button', { name: 'Save' }).click();
  for (const each of [page, other.page]) {
    // Live: sooner than the page reads the chat again.
    await each.getByRole('heading', { name: 'Some name', exact: true }).waitFor({ timeout: 10_000 });
    await each.getByRole('link', { name: 'Some name', exact: false }).waitFor();
  }

  await page.getByRole('button', { name: 'Delete the chat' }).click();
  expect(await dialog.textContent()).toMatch(/all its messages are lost: 1 message at the last count\./);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect((await system.chat(1).get()).name).toBe('Some name');
  await page.getByRole('button', { name: 'Delete the chat' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('There is no chat yet.').waitFor();
  await page.getByText('Choose a chat.').waitFor();
  await other.page.getByText('This chat was deleted.').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  // The server refuses the blank name. The page reports nothing else.
  expect(faults.filter((fault) => !fault.includes('422'))).toEqual([]);
  await close();
  await other.close();
});

test('a message that is accepted but not stored is shown as pending, and then as the message', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  await system.chat(1).send('one');
  await system.chat(1).message(1);
  const { page, faults, close } = await open(token, '#1');
  await expect.poll(() => bodiesOf(page)).toEqual(['one']);
  const store = new DatabaseSync(path.join(dataDir, 'store.db'), { timeout: 10_000 });
  onTestFinished(() => store.close());
  // While another process writes the file, the store worker has to wait.
  store.exec('BEGIN IMMEDIATE');
  await page.getByLabel('Message', { exact: true }).fill('two');
  await page.keyboard.press('Enter');
  await page.locator('.message', { hasText: 'accepted, not stored yet' }).waitFor();
  expect(await bodiesOf(page)).toEqual(['one', 'two']);
  expect(await page.locator('.counts').textContent()).toMatch(/ · 1 not stored yet$/);
  store.exec('ROLLBACK');
  await page.getByText('not stored yet').first().waitFor({ state: 'detached' });
  expect(await bodiesOf(page)).toEqual(['one', 'two']);
  expect(faults).toEqual([]);
  await close();
});

test('a number whose message is stored later than those after it is shown as pending, and then as the message', async () => {
  const { token, system } = await newSystem();
  await system.createChat();
  await system.chat(1).sendAll(['one', 'two', 'three', 'four'].map((body) => ({ body })));
  await system.chat(1).message(4);
  const store = new DatabaseSync(path.join(dataDir, 'store.db'), { timeout: 10_000 });
  onTestFinished(() => store.close());
  // As if only edits of these messages were stored, and their creates still waited in the queue.
  const created = store.prepare('SELECT max(created_at) AS at FROM messages WHERE token = ?').get(token)?.at as number;
  const update = store.prepare('UPDATE messages SET created_at = ? WHERE token = ? AND number IN (2, 3)');
  update.run(null, token);
  const { page, faults, close } = await openConsole(browser, { url: url(), token, hash: '#1' }, {}, async (opened) =>
    opened.clock.install(),
  );
  await expect.poll(() => page.locator('.message').count()).toBe(3);
  const rows = () => page.locator('.message').allTextContents();
  expect(await rows()).toEqual([
    expect.stringContaining('one'),
    '#2 to #3 accepted, not stored yet',
    expect.stringContaining('four'),
  ]);
  expect(await page.locator('.counts').textContent()).toMatch(/ · 2 not stored yet$/);
  update.run(created, token);
  // The page asks again regularly, because the missing numbers of a page are no change.
  await page.clock.fastForward(20_000);
  await expect.poll(() => bodiesOf(page)).toEqual(['one', 'two', 'three', 'four']);
  expect(await page.getByText('not stored yet').count()).toBe(0);
  expect(faults).toEqual([]);
  await close();
});

test(
  'a long chat scrolls both ways with few elements, and shows the message of a number',
  async () => {
    const { token, system } = await newSystem();
    await system.createChat();
    const chat = system.chat(1);
    for (let last = 0; last < longChat; last += 1_000)
      await chat.sendAll(
        Array.from({ length: 1_000 }, (_, i) => ({
          body: `message ${last + i + 1}${i === 499 ? ' with a word' : ''}`,
        })),
      );
    await chat.message(longChat, { retryMs: longChatMs });
    await expect
      .poll(async () => (await chat.search('with a word').page()).total, { timeout: longChatMs })
      .toBe(longChat / 1_000);
    const { page, faults, close } = await open(token, '#1');
    const figures: Record<string, { ms: number; elements: number; heapMb: number }> = {};
    const debug = await page.context().newCDPSession(page);
    await debug.send('Performance.enable');
    /** Does something, and checks that the page then is small. */
    const measured = async (what: string, work: () => Promise<void>) => {
      const from = performance.now();
      await work();
      const ms = Math.round(performance.now() - from);
      const elements = await page.locator('*').count();
      await debug.send('HeapProfiler.collectGarbage');
      const { metrics } = await debug.send('Performance.getMetrics');
      const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.POSITIVE_INFINITY;
      figures[what] = { ms, elements, heapMb: Math.round(heap / 1e5) / 10 };
      expect(elements, what).toBeLessThan(3_000);
      expect(heap, what).toBeLessThan(20e6);
    };
    const numbers = () => page.locator('.message').evaluateAll((rows) => rows.map((row) => Number(row.dataset.number)));
    await expect.poll(async () => (await numbers()).at(-1)).toBe(longChat);
    for (const number of [1, longChat, longChat / 2])
      await measured(`go to ${number}`, async () => {
        await page.getByLabel('Number of a message').fill(`${number}`);
        await page.getByRole('button', { name: 'Go' }).click();
        await expect.poll(() => inView(page, number), { interval: 20 }).toBe(true);
      });
    const scroll = (what: string, by: number, until: (shown: number[]) => boolean) =>
      measured(what, async () => {
        await page.getByLabel('Messages').hover();
        for (let shown = await numbers(); !until(shown); shown = await numbers()) {
          await page.mouse.wheel(0, by);
          expect(shown.length).toBeLessThanOrEqual(200);
          expect(shown).toEqual(Array.from(shown, (_, i) => (shown[0] as number) + i));
        }
      });
    await scroll('scroll 1,000 up', -4_000, (shown) => (shown[0] as number) < longChat / 2 - 1_000);
    await scroll('scroll 2,000 down', 4_000, (shown) => (shown.at(-1) as number) > longChat / 2 + 1_000);
    await measured('newest', async () => {
      await page.getByRole('button', { name: 'Newest' }).click();
      await expect.poll(async () => (await numbers()).at(-1), { interval: 20 }).toBe(longChat);
    });
    for (const where of ['chat', 'all']) {
      await measured(`search, ${where}`, async () => {
        await page.getByLabel('Where to search').selectOption(where);
        await page.getByLabel('Text to search').fill('with a word');
        await page.getByLabel('Text to search').press('Enter');
        await page.locator('.results mark').first().waitFor();
      });
      await page.getByRole('button', { name: 'Close the search' }).click();
    }
    if (process.env.MESSAGES) console.table(figures);
    expect(faults).toEqual([]);
    await close();
  },
  170_000 + longChatMs,
);

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
  await expect.poll(() => bodiesOf(page)).toEqual(hostile);
  expect(await page.locator('.message header strong').allTextContents()).toEqual(hostile);
  await page.getByLabel('Text to search').fill('hit');
  await page.getByLabel('Text to search').press('Enter');
  await expect.poll(() => page.locator('.results li p').allTextContents()).toEqual(hostile.toReversed());
  const facts = "['hit' in window, document.querySelectorAll('img, svg, iframe').length]";
  expect(await page.evaluate(facts)).toEqual([false, 0]);
  expect(faults).toEqual([]);
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
  await expect.poll(() => bodiesOf(page)).toEqual(['Hello']);
  expect(faults).toEqual([]);
  await close();
  proxy.closeAllConnections();
  proxy.close();
});

test('what the user does next stays when a deletion that takes long has succeeded', async () => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'First' });
  await system.createChat({ name: 'Second' });
  await system.chat(1).sendAll([{ body: 'one' }, { body: 'two' }]);
  await system.chat(1).message(2);
  const { page, faults, close } = await open(token, '#1');
  const dialog = page.getByRole('dialog');
  const continued: (() => Promise<void>)[] = [];
  await page.route('**/chats/1**', async (route) => {
    if (route.request().method() === 'DELETE') continued.push(() => route.continue());
    else await route.continue();
  });
  /** Deletes, and leaves the dialog before the request has got its response. */
  const begin = async (name: string) => {
    await page.getByRole('button', { name }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => continued.length).toBe(1);
  };
  const finish = async () => {
    const deleted = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await continued.pop()?.();
    await (await deleted).finished();
  };
  await begin('Delete message 1');
  await page.getByRole('button', { name: 'Edit message 2' }).click();
  await dialog.getByLabel('Message').fill('being written');
  await finish();
  await expect.poll(() => bodiesOf(page)).toEqual(['two']);
  expect(await dialog.getByLabel('Message').inputValue()).toBe('being written');
  await page.keyboard.press('Escape');

  await begin('Delete the chat');
  await page.getByRole('link', { name: 'Second' }).click();
  await finish();
  await page.getByRole('link', { name: 'First' }).waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Second' }).waitFor();
  expect(page.url()).toMatch(/#2$/);
  expect(faults).toEqual([]);
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
  for (const width of [390, 820, 1440]) {
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
  const { page, close } = await open(token, '#1', { colorScheme });
  for (const name of ['Rename the chat', 'Delete the chat', 'New chat', 'Access token', 'Edit message 1']) {
    await page.getByRole('button', { name }).click();
    expect(await seriousFaults(page), name).toEqual([]);
    await page.keyboard.press('Escape');
  }
  await close();
});

test('right-to-left text is shown from right to left, and a body of 10,000 characters in part at first', async () => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'שיחה' });
  await system
    .chat(1)
    .sendAll([
      { body: 'שלום, world', sender: 'דנה' },
      { body: 'Hello, עולם' },
      { body: '🎉'.repeat(10_000) },
      { body: 'x'.repeat(10_000) },
      { body: 'line\n'.repeat(2_000).trim() },
    ]);
  const { page, faults, close } = await open(token, '#1', { viewport: { width: 390, height: 800 } });
  await expect.poll(() => page.locator('.body').count()).toBe(5);
  const direction = (selector: string, nth = 0) =>
    page.evaluate(`getComputedStyle(document.querySelectorAll('${selector}')[${nth}]).direction`);
  expect(await Promise.all([direction('.body'), direction('.message strong'), direction('h2[dir]')])).toEqual([
    'rtl',
    'rtl',
    'rtl',
  ]);
  expect(await direction('.body', 1)).toBe('ltr');
  const heights = () =>
    page.locator('.body').evaluateAll((all) => all.map((each) => each.getBoundingClientRect().height));
  expect(Math.max(...(await heights()))).toBeLessThan(300);
  const more = page.getByRole('button', { name: 'Show all 10,000 characters' });
  expect(await more.count()).toBe(2);
  await more.first().click();
  await page.getByRole('button', { name: 'Show less' }).waitFor();
  expect((await heights())[2]).toBeGreaterThan(3_000);
  expect(await bodiesOf(page)).toContain('🎉'.repeat(10_000));
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);

  // As long a body can also be written here.
  await page.getByLabel('Message', { exact: true }).fill('🎊'.repeat(10_000));
  await page.keyboard.press('Enter');
  await expect.poll(() => bodiesOf(page)).toContain('🎊'.repeat(10_000));
  expect(faults).toEqual([]);
  await close();
});

test('the keyboard is enough to log in, open a chat, search, and send, edit and delete messages', async () => {
  const { token, system } = await newSystem();
  await system.createChat({ name: 'Some chat' });
  const page = await browser.newPage();
  await page.goto(`${url()}/console`);
  const focused = () =>
    page.evaluate<string>('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent');
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab');
      if ((await focused()).startsWith(name)) return;
    }
    throw new Error(`Tab does not reach ${name}`);
  };
  const enter = async (name: string) => {
    await tabTo(name);
    await page.keyboard.press('Enter');
  };
  await page.keyboard.press('Tab');
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await untilLive(page);
  await page.getByRole('link', { name: 'Some chat' }).waitFor();
  await enter('Some chat');
  await tabTo('Message');
  await tabTo('Message');
  await page.keyboard.type('Hello');
  await page.keyboard.press('Enter');
  await expect.poll(() => bodiesOf(page)).toEqual(['Hello']);
  await page.keyboard.press('Shift+Enter');
  await enter('Edit message 1');
  await page.getByRole('dialog').waitFor();
  // Fast typing: neither key waits until the page has handled the one before.
  for (let repetition = 0; repetition < 20; repetition++) {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
  }
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Hello again');
  await enter('Save');
  await expect.poll(() => bodiesOf(page)).toEqual(['Hello again']);
  await expect.poll(focused).toBe('Edit message 1');
  await expect.poll(async () => (await system.search('again').page()).total).toBe(1);
  await tabTo('Text to search');
  await page.keyboard.type('again');
  await page.keyboard.press('Enter');
  await page.locator('.results mark').waitFor();
  await enter('no sender');
  await page.locator('.target').waitFor();
  await enter('Close the search');
  await enter('Delete message 1');
  await page.getByRole('dialog').waitFor();
  await enter('Delete');
  await page.getByText('There is no message yet.').waitFor();
  await page.close();
});
