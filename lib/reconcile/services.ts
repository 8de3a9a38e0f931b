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
  /** The records on their way to the store that can be listed: parked records on AWS, the embedded engine's queue. */
  waitingWrites: { records(): AsyncIterable<string> };
}
