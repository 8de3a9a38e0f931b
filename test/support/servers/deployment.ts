import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, inject } from 'vitest';
import { Client } from '../client/client.ts';
import { newDataDir, removeDataDir, startHost } from './host.ts';

const { CHAT_SYSTEM_ADMIN_KEY, CHAT_SYSTEM_SETTLE_SECONDS, CHAT_SYSTEM_ROLLUP_SECONDS } = process.env;
/** The URL from the environment, or of the stack that the project `aws` has started. */
const url = process.env.CHAT_SYSTEM_URL ?? inject('stack')?.apiUrl;

/** Whether the tests run on the stack, whose emulator is slow and not identical to AWS. */
export const onStack = url !== undefined && url === inject('stack')?.apiUrl;

/**
 * Returns the number of concurrent requests: as requested, but few on the stack. Its emulator starts a process for each
 * concurrent function call, and with 40 of them a function times out while it waits for its counter.
 */
export const atOnce = (requests: number): number => (onStack ? Math.min(requests, 8) : requests);

/**
 * Options for `expect.poll`: how long until an accepted write can be read, listed and found. It takes a second or, on the
 * stack, ten; a busy machine takes several times as long. A request to the stack takes some 20 ms of processor time,
 * which the emulator needs for other tests, so polls of the stack are rare.
 */
export const settled = {
  timeout: Number(CHAT_SYSTEM_SETTLE_SECONDS ?? 60) * 1_000,
  interval: onStack ? 300 : 50,
};
/** The same for counts. */
export const counted = {
  timeout: Number(CHAT_SYSTEM_ROLLUP_SECONDS ?? 150) * 1_000,
  interval: onStack ? 1_000 : 100,
};

/** The same for resources below something deleted, which the next run of the purge removes. */
export const purged = onStack ? counted : settled;

/**
 * Waits until no function instance uses a value that it cached before this call, where values are cached for `keptMs`.
 * Polling is not enough, because another instance may serve the next request. The additional second is for the
 * difference between their clocks and ours. The host that a test file starts has only one instance, so it does not wait.
 */
export const allInstancesKnow = async (keptMs: number): Promise<void> => {
  if (url !== undefined) await sleep(keptMs + 1_000);
};

/**
 * Returns a client of the deployment under test: the one at CHAT_SYSTEM_URL (with CHAT_SYSTEM_ADMIN_KEY if it has one,
 * and CHAT_SYSTEM_SETTLE_SECONDS and CHAT_SYSTEM_ROLLUP_SECONDS if it is slow), the stack, or a host that is started
 * for the test file.
 */
export async function deployment(): Promise<Client> {
  if (url) return Client.connect(url, CHAT_SYSTEM_ADMIN_KEY);
  const dataDir = newDataDir();
  const host = await startHost(dataDir, '--rollup-seconds', '1');
  afterAll(async () => {
    await host.stop();
    removeDataDir(dataDir);
  });
  return Client.connect(host.url);
}
