import type { Changes } from './changes.ts';
import type { Counting } from './counting.ts';
import type { Inventory } from './inventory.ts';
import type { Merging } from './merging.ts';
import type { Purging } from './purging.ts';
import type { Reads } from './reads.ts';

/** The SQL database behind the reads: one interface for each of its consumers. */
export interface Store extends Reads, Changes, Merging, Counting, Purging, Inventory {}
