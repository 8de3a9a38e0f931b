import { limits } from '../limits.ts';
import { compareApplication } from './applications.ts';
import type { Difference } from './difference.ts';
import { restoreLedger } from './ledger-behind.ts';
import type { Run } from './run.ts';
import type { ReconcileServices } from './services.ts';
import { WaitingNumbers } from './waiting-numbers.ts';

export interface ReconcileOptions {
  /** The token of the application to compare; undefined compares all. */
  token?: string;
  /** The current time, in milliseconds since 1970. */
  now: number;
  /** Whether to repair differences; otherwise the run changes nothing. */
  repair: boolean;
  /** Aborts the run between two pages. */
  signal?: AbortSignal;
  /** Called after a chat was compared; `messages` is the number of message numbers compared. */
  onChat?: Run['onChat'];
}

/**
 * Compares ledger, store and search index, and yields every difference. With `repair`, it copies what one side lacks
 * from another: from the store to the ledger (so that no number is assigned twice after a restore), from the ledger or
 * the index to the store, and from the store to the index. It records numbers whose write cannot arrive any more as
 * void; see docs/decisions/0009-void-numbers.md.
 *
 * It may run while the system is running, stop at any time, and be repeated. While the system is running, a difference
 * may be temporary: an accepted write that is not stored yet, or a stored one that is not indexed yet. Repairing such a
 * difference does no harm, and the next run does not find it.
 *
 * Chats and messages below a deleted application or chat are left to the purge. Numbers are compared page by page, so
 * memory does not grow with them.
 *
 * @throws the signal's reason, Unavailable, and errors of ledger, store, index and queue; earlier repairs are kept
 */
export async function* reconcile(
  services: ReconcileServices,
  { token, now, repair, signal, onChat = () => undefined }: ReconcileOptions,
): AsyncGenerator<Difference> {
  const waiting = await WaitingNumbers.read(services, token);
  const run: Run = { ...services, waiting, now, repair, signal, onChat };
  for (const reason of waiting.unreadable) yield { kind: 'unreadable dead letter', reason, repaired: false };
  // All counters come first: until they are repaired, numbers may be assigned twice.
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
