import type { Difference } from '../../lib/reconcile/difference.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { count, formatNumber } from '../cli/numbers.ts';
import { shortToken } from './describe-dead-letter.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/**
 * Compares ledger, store and search index, prints every difference and, with `repair`, repairs what it can.
 *
 * @returns how many differences are left. A write that waits in the queue is not one of them: the worker will store it.
 */
export async function reconcileAll(
  { ledger, store, searchIndex, queues, waitingWrites }: OpsServices,
  token: string | undefined,
  { repair = false, json }: { repair?: boolean; json?: boolean },
  interruption: Pick<Interruption, 'isWanted' | 'abortSignal'>,
): Promise<number> {
  const progress = new Progress('numbers compared', 0);
  const onChat = ({ messages }: { messages: number }) => {
    progress.advance(messages);
    compared += messages;
  };
  let [compared, repaired, waiting, left] = [0, 0, 0, 0];
  const services = { ledger, store, searchIndex, storeQueue: queues.store, waitingWrites };
  try {
    const options = { ...(token && { token }), now: Date.now(), repair, signal: interruption.abortSignal, onChat };
    for await (const difference of reconcile(services, options)) {
      if (difference.repaired) repaired++;
      else if ('found' in difference && difference.found === 'waiting') waiting++;
      else left++;
      progress.clear();
      console.log(json ? JSON.stringify(difference) : describe(difference));
      if (await interruption.isWanted()) break;
    }
  } catch (error) {
    if (!interruption.abortSignal.aborted) throw error;
  } finally {
    progress.stop();
  }
  if (!json) {
    const repairedAndLeft = `${count(repaired, 'difference')} repaired, ${formatNumber(left)} left`;
    const found = repaired + waiting + left === 0 ? 'no differences' : repairedAndLeft;
    const soonStored = waiting > 0 ? `; ${count(waiting, 'write')} waiting for the store worker` : '';
    console.log(`${count(compared, 'message')} compared: ${found}${soonStored}.`);
  }
  return left;
}

/** Describes a difference in one line: its kind, its place and its details. */
function describe({ kind, repaired, ...more }: Difference): string {
  const { token, chat, number, noticedAt, ...facts } = more as {
    token?: string;
    chat?: number;
    number?: number;
    noticedAt?: number;
  };
  const where = [token && shortToken(token), chat, number].filter((part) => part !== undefined).join('/');
  const known = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  if (noticedAt !== undefined) known.push(`noticed ${new Date(noticedAt).toISOString()}`);
  return [kind, where, known.length > 0 ? `(${known.join(', ')})` : '', repaired ? '- repaired' : '']
    .filter(Boolean)
    .join(' ');
}
