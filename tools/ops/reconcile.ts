import type { Difference } from '../../lib/reconcile/difference.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { figure } from '../cli/figures.ts';
import { shortToken } from './describe-dead-letter.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/**
 * Compares ledger, store and search index, prints every difference, and mends what can be mended where that is asked for.
 *
 * @returns how many differences are left
 */
export async function reconcileAll(
  { ledger, store, searchIndex, queues, waitingWrites }: OpsServices,
  token: string | undefined,
  { repair = false, json }: { repair?: boolean; json?: boolean },
  interruption: Pick<Interruption, 'isWanted' | 'aborted'>,
): Promise<number> {
  const progress = new Progress('numbers compared', 0);
  const onChat = ({ messages }: { messages: number }) => {
    progress.advance(messages);
    compared += messages;
  };
  let [compared, repaired, left] = [0, 0, 0];
  const services = { ledger, store, searchIndex, storeQueue: queues.store, waitingWrites };
  try {
    const options = { ...(token && { token }), now: Date.now(), repair, signal: interruption.aborted, onChat };
    for await (const difference of reconcile(services, options)) {
      if (difference.repaired) repaired++;
      else left++;
      progress.clear();
      console.log(json ? JSON.stringify(difference) : describe(difference));
      if (await interruption.isWanted()) break;
    }
  } catch (error) {
    if (!interruption.aborted.aborted) throw error;
  } finally {
    progress.stop();
  }
  if (!json) {
    const found =
      repaired + left === 0 ? 'no differences' : `${figure(repaired)} differences repaired, ${figure(left)} left`;
    console.log(`${figure(compared)} messages compared: ${found}.`);
  }
  return left;
}

/** A difference in a line: what, where, and all that is known of it. */
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
