import { afterAll, inject } from 'vitest';
import { Client } from '../client/client.ts';
import { newDataDir, removeDataDir, startHost } from './host.ts';

const { CHAT_SYSTEM_ADMIN_KEY, CHAT_SYSTEM_SETTLE_SECONDS, CHAT_SYSTEM_ROLLUP_SECONDS } = process.env;
/** Given by hand, or the stack that the tests of the project `aws` have brought up. */
const url = process.env.CHAT_SYSTEM_URL ?? inject('stack')?.apiUrl;

/** Whether it is the stack, whose emulator is neither fast nor AWS in every detail. */
export const onStack = url !== undefined && url === inject('stack')?.apiUrl;

/**
 * As many requests at once as asked for, but few on the stack: its emulator starts a process for each function call that
 * meets another, and 40 of them at once need longer than a function may wait for its counter.
 */
export const atOnce = (requests: number): number => (onStack ? Math.min(requests, 8) : requests);

/** How long an accepted write may take to be readable, listed and searchable: options for `expect.poll`. */
export const settled = { timeout: Number(CHAT_SYSTEM_SETTLE_SECONDS ?? 20) * 1_000, interval: 50 };
/** The same for counts. */
export const counted = { timeout: Number(CHAT_SYSTEM_ROLLUP_SECONDS ?? 150) * 1_000, interval: 100 };

/** The same for what lies below something deleted, which goes with the next run of the purge. */
export const purged = onStack ? counted : settled;

/**
 * The deployment that the tests of a file are held against: the one at CHAT_SYSTEM_URL (with CHAT_SYSTEM_ADMIN_KEY where
 * it has one; CHAT_SYSTEM_SETTLE_SECONDS and CHAT_SYSTEM_ROLLUP_SECONDS where it is slow), the stack or, without
 * either, a host started for the file.
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
