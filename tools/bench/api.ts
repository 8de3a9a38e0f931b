import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../lib/limits.ts';
import type { Embedded } from './embedded.ts';

/**
 * Sends a request to the API, a POST when there is a body, and returns the parsed response. Repeats a read for which the
 * server has no time.
 *
 * @param repetitions the maximum number of repetitions
 */
export async function call<Body>(host: Embedded, path: string, body?: unknown, repetitions = 10): Promise<Body> {
  const { origin, base } = host;
  const response = await fetch(`${origin}${base}${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  if (response.status === 503 && body === undefined && repetitions > 0) {
    await sleep(1_000 * Number(response.headers.get('retry-after') ?? 1));
    return call(host, path, body, repetitions - 1);
  }
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

/** Creates an application with this number of chats, and returns the paths of the chats below `/v1`. */
export async function makeChats(host: Embedded, chats: number): Promise<string[]> {
  const { token } = await call<{ token: string }>(host, '/applications', { name: 'bench' });
  const paths: string[] = [];
  for (let i = 0; i < chats; i++) {
    const { number } = await call<{ number: number }>(host, `/applications/${token}/chats`, {});
    paths.push(`/applications/${token}/chats/${number}`);
  }
  return paths;
}

/** The maximum number of characters in the texts of a batch, so that the request is smaller than its limit. */
const charactersInBatch = 900_000;

/** Creates messages of the same text in the chat, in batches. */
export async function createMessages(host: Embedded, chat: string, count: number, body: string): Promise<void> {
  const atATime = Math.min(limits.batchSize, Math.floor(charactersInBatch / body.length));
  for (let left = count; left > 0; left -= atATime)
    await call(host, `${chat}/messages/batch`, { messages: Array(Math.min(atATime, left)).fill({ body }) });
}

/** The time between two searches for a message, in milliseconds. */
const pollMs = 10;

/**
 * Creates a message in the chat, and resolves when a search finds it. Then everything accepted before it is stored and
 * searchable too, because the queues of the embedded engine keep the order.
 *
 * @returns the time from the response to the create to the response to the search that finds it, in milliseconds
 */
export async function untilSearchable(host: Embedded, chat: string): Promise<number> {
  const mark = `mark${randomUUID()}`;
  await call(host, `${chat}/messages`, { body: mark });
  const acceptedAt = performance.now();
  for (;;) {
    const { total } = await call<{ total: number }>(host, `${chat}/messages/search?q=${mark}`);
    if (total > 0) return performance.now() - acceptedAt;
    await sleep(pollMs);
  }
}
