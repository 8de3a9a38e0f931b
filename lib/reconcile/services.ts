import type { Ledger, Restorable } from '../ledger/ledger.ts';
import type { Queue } from '../queue/queue.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Inventory } from '../store/inventory.ts';
import type { Store } from '../store/store.ts';

export interface ReconcileServices {
  ledger: Pick<Ledger, keyof Restorable | 'counters'>;
  store: Pick<Store, keyof Inventory | 'merge' | 'merged'>;
  searchIndex: Pick<SearchIndex, 'versions' | 'document' | 'index'>;
  storeQueue: Pick<Queue, 'deadLetters'>;
  /** Records on their way to the store that can be looked at: what is parked on AWS, the queue of the embedded engine. */
  waitingWrites: { records(): AsyncIterable<string> };
}
