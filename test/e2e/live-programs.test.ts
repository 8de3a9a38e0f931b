import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { ChatSystem } from '../../client/src/index.ts';
import { openInChromium } from '../support/servers/browser.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';

// The programs of docs/live.md as their readers copy them, with the functions that the text leaves to the reader.

const text = readFileSync(path.join(import.meta.dirname, '../../docs/live.md'), 'utf8');

/** Returns the program in a section of docs/live.md. */
function programUnder(heading: string): string {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [, program] = /^```js\n(.*?)^```/ms.exec(section) ?? [];
  return program ?? expect.fail(`docs/live.md has no program under "${heading}"`);
}

/** More messages than a page of changes has by default, created as one version. */
const batch = Array.from({ length: 250 }, (_, index) => ({ body: `message ${index}` }));
const upTo = (last: number) => Array.from({ length: last + 1 }, (_, number) => number);
const settled = { timeout: 30_000, interval: 50 };

/** Starts a server that collects the reports of a program, and serves a page with a script to Chromium. */
async function collector(): Promise<{ url: string; serve: (script: string) => void; numbers: () => number[] }> {
  let longest: number[] = [];
  let page = '';
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    // Reports may overtake each other.
    const numbers = request.method === 'POST' ? z.array(z.number()).parse(JSON.parse(body)) : [];
    if (numbers.length > longest.length) longest = numbers;
    response.setHeader('content-type', 'text/html').end(page);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const serve = (script: string) => {
    page = `<!doctype html><script type="module">${script}</script>`;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, serve, numbers: () => longest };
}

/** Runs a program in Node.js until the end of the test. */
function runInNode(program: string): void {
  const file = path.join(dataFolder(), 'program.mjs');
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
}

/**
 * The programs, where each runs, and the code that the text leaves to the reader. A program reports 0 when it knows the
 * version that it begins with.
 */
const programs = [
  {
    heading: 'In a page',
    run: 'in Chromium',
    written: `const show = (messages) => report([0, ...messages.keys()]);
      await report([0]);`,
  },
  {
    heading: 'In Node.js',
    run: 'in Node.js',
    written: `await report(seen);
      setTimeout(() => follow(1, ({ data }) => take(data)));`,
  },
  {
    heading: 'Without a stream',
    run: 'in Node.js',
    written: `const get = async (url) => {
        const body = await (await fetch(url, { headers: { authorization: 'Bearer ' + token } })).json();
        report(seen);
        return body;
      };`,
  },
];

test.each(programs)('the program of docs/live.md under "$heading" sees every message once', async (one) => {
  const { heading, run, written } = one;
  const dataDir = dataFolder();
  const host = await hostOf(startHost(dataDir));
  const { token } = await new ChatSystem({ url: host.url }).createApplication('Some application');
  const system = new ChatSystem({ url: host.url, token });
  await system.createChat();
  const { access_token } = await system.createAccessToken({ chats: [1] });
  const { url, serve, numbers } = await collector();
  const program = `
    const api = ${JSON.stringify(host.url)};
    const token = ${JSON.stringify(token)};
    const newAccessToken = async () => ${JSON.stringify(access_token)};
    const chat = api + '/applications/self/chats/1';
    const report = (numbers) => fetch(${JSON.stringify(url)}, { method: 'POST', body: JSON.stringify(numbers) });
    const seen = [0];
    const take = (data) => {
      seen.push(...data.map(({ message }) => message.number));
      return report(seen);
    };
    ${written}
    ${programUnder(heading)}`;
  serve(program);
  if (run === 'in Chromium') openInChromium(url);
  else runInNode(program);

  await expect.poll(numbers, settled).toEqual([0]);
  await system.chat(1).send('first');
  await expect.poll(numbers, settled).toEqual(upTo(1));
  await system.chat(1).sendAll(batch);
  await expect.poll(numbers, settled).toEqual(upTo(251));
  // A program that polls has a `get` of its own, which decides what happens while the server is away.
  if (heading !== 'Without a stream') {
    await host.stop('SIGKILL');
    await hostOf(startHost(dataDir, '--port', new URL(host.url).port));
  }
  await system.chat(1).send('last');
  await expect.poll(numbers, settled).toEqual(upTo(252));
});
