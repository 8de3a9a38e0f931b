import { limits } from '../limits.ts';
import { compareApplication } from './applications.ts';
import type { Difference } from './difference.ts';
import { restoreLedger } from './ledger-behind.ts';
import type { Run } from './run.ts';
import type { ReconcileServices } from './services.ts';
import { WaitingNumbers } from './waiting-numbers.ts';

export interface ReconcileOptions {
  /** The application to compare; without it, all. */
  token?: string;
  /** Milliseconds since 1970. */
  now: number;
  /** Mends what can be mended; without it nothing is changed. */
  repair: boolean;
  /** Ends the run between two pages. */
  signal?: AbortSignal;
  /** Called when a chat has been compared, with how many numbers of messages it has. */
  onChat?: Run['onChat'];
}

/**
 * Compares the ledger's counters and entries, the store and the search index, names every difference, and mends it when it
 * is told to: the ledger gets what it lacks of the store (so that after a restore no number is given out again), the store
 * what it lacks of the ledger or the index, the index what it lacks of the store. Numbers whose write can't come any more
 * are recorded as void; see docs/decisions/0009-void-numbers.md.
 *
 * May run while the system does, stop at any time, and be repeated. Then a difference may be one that is on its way: an
 * accepted write that is not stored yet, a stored one that is not indexed yet. Mending it does no harm, and the next run
 * does not name it again.
 *
 * What lies below something deleted is left to the purge. Numbers are compared a page at a time, so memory does not grow
 * with them.
 *
 * @throws the signal's reason, Unavailable, and what ledger, store, index and queue throw; what was mended until then stays
 */
export async function* reconcile(
  services: ReconcileServices,
  { token, now, repair, signal, onChat = () => undefined }: ReconcileOptions,
): AsyncGenerator<Difference> {
  const waiting = await WaitingNumbers.read(services, token);
  const run: Run = { ...services, waiting, now, repair, signal, onChat };
  for (const reason of waiting.unreadable) yield { kind: 'unreadable dead letter', reason, repaired: false };
  // All counters first: until then, numbers may be given out again.
  for await (const each of token === undefined ? storedTokens(run) : [token]) yield* restoreLedger(run, each);
  for await (const each of token === undefined ? run.ledger.tokens() : [token]) {
    signal?.throwIfAborted();
    yield* compareApplication(run, each);
  }
}

async function* storedTokens({ store, signal }: Run): AsyncGenerator<string> {
  let tokens = await store.tokens(limits.numbersCompared);
  for (let last = tokens.at(-1); last; last = tokens.at(-1)) {
    yield* tokens;
    signal?.throwIfAborted();
    tokens = await store.tokens(limits.numbersCompared, last);
  }
}
