import { parentPort, workerData } from 'node:worker_threads';
import type { Observed } from './floods.ts';

// The thread of a Bystander. It checks health every 5 ms, and writes to and reads from a chat, until it is stopped.

const { url, chat } = workerData as { url: string; chat: string };
const times: number[] = [];
const failures: string[] = [];
let answered = 0;
let running = true;

async function expectSuccess(what: string, path: string, options: RequestInit = {}): Promise<void> {
  try {
    const answer = await fetch(`${url}${path}`, options);
    await answer.arrayBuffer();
    answered++;
    if (!answer.ok) failures.push(`${what}: ${answer.status}`);
  } catch (error) {
    failures.push(`${what}: ${(error as Error).cause ?? error}`);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function checkHealth(): Promise<void> {
  while (running) {
    const begun = performance.now();
    await expectSuccess('GET health', '/health');
    times.push(performance.now() - begun);
    await pause(5);
  }
}

async function writeAndRead(): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  while (running) {
    const body = JSON.stringify({ body: 'x'.repeat(500) });
    await expectSuccess('POST messages', `${chat}/messages`, { method: 'POST', headers, body });
    await expectSuccess('GET messages', `${chat}/messages?order=desc`);
    await pause(2);
  }
}

// The first request of a thread is slow.
await expectSuccess('GET health', '/health');
parentPort?.postMessage('ready');
parentPort?.once('message', () => {
  running = false;
});
await Promise.all([checkHealth(), writeAndRead()]);
const sorted = times.sort((a, b) => a - b);
parentPort?.postMessage({
  healthP99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY,
  failures,
  answered,
} satisfies Observed);
