import type { WholeEntry } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import { outOfBounds } from '../model/bounds.ts';
import type { Parent } from '../model/keys.ts';
import { numbersOf, ranges } from '../model/ranges.ts';
import type { MergedParent } from '../store/inventory.ts';
import type { Difference, Lacking } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Yields what the ledger lacks of an application and its chats, and repairs it: entries, edits, deletions, and counters
 * so low that numbers would be assigned twice. Reads the store before the ledger, because the ledger is ahead of the
 * store unless it was restored from a backup.
 */
export async function* restoreLedger(run: Run, token: string): AsyncGenerator<Difference> {
  const { store, waiting } = run;
  const row = await store.mergedApplication(token);
  const [stored = 0] = await store.highestNumbers([{ token }]);
  const highest = Math.max(stored, waiting.highest({ token }));
  if (!row && highest === 0) return;
  yield* restore(run, [{ parent: { token }, row, highest }]);
  if (row?.deleted) return;
  for (const range of ranges(highest, limits.numbersCompared)) {
    // Let signals and other work run, even when many numbers have nothing to compare.
    await new Promise(setImmediate);
    run.signal?.throwIfAborted();
    const parents = numbersOf(range).map((chat) => ({ token, chat }));
    const rows = await store.mergedChats(token, range);
    const numbers = await store.highestNumbers(parents);
    const inStore = parents.map((parent, i) => ({
      parent,
      row: rows.get(parent.chat),
      highest: Math.max(numbers[i] as number, waiting.highest(parent)),
    }));
    yield* restore(
      run,
      inStore.filter((each) => each.row || each.highest > 0),
    );
  }
}

/** What is known of an application or chat without the ledger. */
interface InStore {
  parent: Parent;
  /** Undefined when only something below it is stored, waits or is a dead letter. */
  row: MergedParent | undefined;
  /** The highest number below it that is stored, waits or is in a dead letter; 0 when there is none. */
  highest: number;
}

async function* restore({ ledger, now, repair: repaired }: Run, inStore: InStore[]): AsyncGenerator<Difference> {
  const entries = await ledger.entries(inStore.map(({ parent }) => parent));
  for (const [i, { parent, row: stored, highest }] of inStore.entries()) {
    const entry = entries[i];
    const faults = stored ? outOfBounds(stored) : [];
    for (const fault of faults) yield { kind: 'out of bounds', ...parent, side: 'store', ...fault, repaired: false };
    const row = faults.length > 0 ? undefined : stored;
    // An application cannot be restored without its row.
    if (!entry && !row && parent.chat === undefined) continue;
    const differences: Difference[] = [];
    const lacking = lackingInLedger(entry, row);
    if (lacking) differences.push({ kind: 'not in ledger', ...parent, lacking, repaired });
    if (entry && highest > entry.highest)
      differences.push({ kind: 'counter too low', ...parent, counter: entry.highest, highest, repaired });
    if (repaired && differences.length > 0)
      await ledger.restore({
        ...parent,
        name: row?.name ?? null,
        metadata: row?.metadata ?? null,
        revision: row?.revision ?? 0,
        deleted: row?.deleted ?? false,
        // When only messages of a chat are known, its real times are lost.
        createdAt: row?.createdAt ?? row?.updatedAt ?? now,
        updatedAt: row?.updatedAt ?? now,
        highest,
      });
    yield* differences;
  }
}

function lackingInLedger(entry: WholeEntry | undefined, row: MergedParent | undefined): Lacking | undefined {
  if (!entry) return 'everything';
  if (!row || entry.deleted) return undefined;
  if (row.deleted) return 'deletion';
  return row.revision > entry.revision ? 'edit' : undefined;
}
