import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import * as z from 'zod';
import { ChatSystem } from '../../../client/src/index.ts';
import { openInChromium } from '../servers/browser.ts';
import { dataFolder } from '../servers/for-this-test.ts';
import { node20 } from '../servers/node20.ts';
import { installClient } from './package.ts';

const messages = z.array(z.looseObject({ number: z.number(), body: z.string() }));
const reported = z.object({
  bodies: z.array(z.string()),
  listed: messages,
  followed: messages,
  faults: z.array(z.string()),
  statuses: z.array(z.string()),
});

/** Where the client is used. */
export const places = ['Node.js 20', 'Node.js 24', 'Chromium, on a page of another origin'] as const;

/** What a consumer gets, and what is done while it runs. */
interface Given {
  url: string;
  /** An application's token. */
  token: string;
  /** The number of messages that it writes. */
  rounds: number;
  /** Called after each round, before the next one, with the statuses that `onStatus` has reported until now. */
  afterRound?: (round: number, statuses: readonly string[]) => Promise<void>;
}

/**
 * Runs consumer.js with the package chat-system-client as it is published. Fails the test unless it followed exactly
 * what it wrote.
 *
 * @returns how many access tokens it asked for, and the statuses that `onStatus` reported
 */
export async function consume(
  place: (typeof places)[number],
  given: Given,
): Promise<{ tokens: number; statuses: string[] }> {
  const folder = dataFolder();
  await installClient(folder);
  cpSync(path.join(import.meta.dirname, 'consumer.js'), path.join(folder, 'consumer.js'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  const main = `import { consume } from './consumer.js';
    await consume(await import('chat-system-client'), process.argv[2]);`;
  writeFileSync(path.join(folder, 'main.js'), main);
  const page = `<!doctype html><script type="module">
    import { consume } from './consumer.js';
    await consume(await import('./node_modules/chat-system-client/dist/index.js'), location.origin);
  </script>`;
  writeFileSync(path.join(folder, 'index.html'), page);

  const { url, token, rounds, afterRound } = given;
  const server = new ChatSystem({ url, token });
  await server.createChat();
  const ended = Promise.withResolvers<z.output<typeof reported>>();
  let tokens = 0;
  const told: string[] = [];
  const control = await startControl(folder, async (path, body) => {
    if (path === '/begin') return { url, rounds };
    if (path === '/token') {
      tokens++;
      return server.createAccessToken({ sender: 'ada', can: ['read', 'create', 'edit'] });
    }
    if (path === '/status') told.push(z.object({ status: z.string() }).parse(body).status);
    if (path === '/round') await afterRound?.(z.object({ round: z.number() }).parse(body).round, told);
    if (path === '/end') ended.resolve(reported.parse(body));
    return {};
  });
  const { bodies, listed, followed, faults, statuses } = await Promise.race([
    ended.promise,
    open(place, folder, control),
  ]);
  expect(faults).toEqual([]);
  expect(listed.map(({ body }) => body)).toEqual(bodies);
  expect(followed).toEqual(listed);
  return { tokens, statuses };
}

/** Starts the consumer until the test ends. Rejects when it ends earlier with a failure. */
function open(place: (typeof places)[number], folder: string, control: string): Promise<never> {
  if (!place.startsWith('Node.js')) {
    openInChromium(`${control}/`);
    return new Promise<never>(() => undefined);
  }
  const node = place === 'Node.js 20' ? node20() : process.execPath;
  const child = spawn(node, [path.join(folder, 'main.js'), control], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  return once(child, 'close').then(([status]) => {
    if (status !== 0) throw new Error(`${place} ended with ${status}: ${printed}`);
    return new Promise<never>(() => undefined);
  });
}

/**
 * Starts a server for the consumer. GET returns the page and the package, and POST returns what `answer` returns.
 *
 * @returns its URL
 */
async function startControl(
  folder: string,
  answer: (path: string, body: unknown) => Promise<unknown>,
): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const url = request.url ?? '/';
    if (request.method === 'POST') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(await answer(url, JSON.parse(text))));
    } else {
      const file = path.join(folder, url === '/' ? 'index.html' : url);
      response.statusCode = existsSync(file) ? 200 : 404;
      response.setHeader('content-type', file.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(existsSync(file) ? readFileSync(file) : '');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
