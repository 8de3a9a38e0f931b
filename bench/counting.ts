import type { Write } from '../lib/queue/records.ts';
import { rollUp } from '../lib/rollup/rollup.ts';
import type { Store } from '../lib/store/store.ts';
import type { Measurement, Setting } from './figure.ts';
import { inTurns } from './statistics.ts';
import { msOf } from './time.ts';

/** How many chats there are in the larger store, and how many of each store's change. */
export const countingSizes = {
  full: { chats: 1_000_000, changed: 1_000, runs: 11 },
  smoke: { chats: 2_000, changed: 100, runs: 1 },
};

/** The application whose chats change. */
export const token = 'many';

/** The roll-up of a thousand changed chats in the store with many beside the one with just those; each has a message. */
export async function measureCounting({ scale, say }: Setting, many: Store, few: Store): Promise<Measurement[]> {
  const { chats, changed, runs } = countingSizes[scale];
  const inMany = (run: number) => msOfRollUp(many, chats, changed, run + 2);
  const inFew = (run: number) => msOfRollUp(few, changed, changed, run + 2);
  // The first finds no page in memory.
  await inMany(0);
  await inFew(0);
  const results = await inTurns(
    runs,
    (run) => {
      say(`run ${run + 1} of ${runs}`);
      return inMany(run + 1);
    },
    (run) => inFew(run + 1),
  );
  return [
    {
      what: `1,000 changed chats of ${chats.toLocaleString('en-US')}`,
      unit: 'ms',
      values: results.ours,
      reference: { what: `of ${changed.toLocaleString('en-US')}`, values: results.reference },
      bar: { atMost: 1.5 },
    },
  ];
}

/** Gives some of the chats, evenly spread, the message of that number, and counts; answers how long that took, in milliseconds. */
async function msOfRollUp(store: Store, chats: number, changed: number, number: number): Promise<number> {
  const step = chats / changed;
  const writes = Array.from({ length: changed }, (_, i): Write => {
    const chat = Math.floor(i * step) + 1;
    return { kind: 'message', token, chat, number, revision: 0, at: number, body: 'hello' };
  });
  await store.merge(writes);
  let visited = 0;
  const counters = async (parents: unknown[]) => parents.map(() => number);
  const ms = await msOf(async () => {
    visited = await rollUp(store, { counters });
  });
  if (visited < changed) throw new Error(`Only ${visited} marks were visited`);
  return ms;
}
