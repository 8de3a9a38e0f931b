import type { Ledger } from '../ledger/ledger.ts';
import type { Restorable } from '../ledger/restore.ts';
import type { Queue } from '../queue/queue.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Inventory } from '../store/inventory.ts';
import type { Store } from '../store/store.ts';
import type { WaitingNumbers } from './waiting-numbers.ts';

export interface ReconcileServices {
  ledger: Pick<Ledger, keyof Restorable | 'counters'>;
  store: Pick<Store, keyof Inventory | 'merge' | 'merged'>;
  searchIndex: Pick<SearchIndex, 'versions' | 'document' | 'index'>;
  storeQueue: Pick<Queue, 'deadLetters'>;
  /** Records on their way to the store that can be looked at: what is parked on AWS, the queue of the embedded engine. */
  waitingWrites: { records(): AsyncIterable<string> };
}

/** What a run works with. */
export interface Run extends ReconcileServices {
  waiting: WaitingNumbers;
  /** Milliseconds since 1970. */
  now: number;
  repair: boolean;
  /** Ends the run with its reason between two pages. */
  signal: AbortSignal | undefined;
  /** Called when a chat has been compared, with how many numbers of messages it has. */
  onChat: (chat: { token: string; chat: number; messages: number }) => void;
}
