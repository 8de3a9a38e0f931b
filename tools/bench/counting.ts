import type { Write } from '../../lib/model/write.ts';
import { rollUp } from '../../lib/rollup/rollup.ts';
import type { Store } from '../../lib/store/store.ts';
import type { Measurement, Setting } from './figure.ts';
import { inTurns } from './ratios.ts';
import { msOf } from './time.ts';

/** The number of `chats` in the larger store, and of `changed` chats in each roll-up. */
export const countingSizes = {
  full: { chats: 1_000_000, changed: 1_000, runs: 11 },
  smoke: { chats: 2_000, changed: 100, runs: 1 },
};

/** The application whose chats change. */
export const token = 'many';

/**
 * Measures the roll-up of a thousand changed chats in two stores: one with many chats, and one with only these chats
 * (the reference). Each chat has a message. The work of a database depends on the pages that it changes. Evenly spread
 * chats are each on their own page, which is the worst case; the newest chats are adjacent, like chats that were
 * created at the same time.
 */
export async function measureCounting({ scale, say }: Setting, many: Store, few: Store): Promise<Measurement[]> {
  const { chats, changed, runs } = countingSizes[scale];
  const spread = Array.from({ length: changed }, (_, i) => Math.floor((i * chats) / changed) + 1);
  const newest = Array.from({ length: changed }, (_, i) => chats - i);
  const all = Array.from({ length: changed }, (_, i) => i + 1);
  // Each roll-up counts a new message, which needs a new number.
  let number = 1;
  const measurements: Measurement[] = [];
  for (const [where, changing] of Object.entries({ 'evenly spread': spread, 'the newest': newest })) {
    const inMany = () => msOfRollUp(many, changing, ++number);
    const inFew = () => msOfRollUp(few, all, ++number);
    // The first roll-up finds no page in memory, so it is not measured.
    await inMany();
    await inFew();
    const { ours, reference } = await inTurns(
      runs,
      (run) => {
        say(`${where}: run ${run + 1} of ${runs}`);
        return inMany();
      },
      inFew,
    );
    measurements.push({
      what: `1,000 changed chats of ${chats.toLocaleString('en-US')}, ${where}`,
      unit: 'ms',
      values: ours,
      reference: { what: `1,000 changed chats of ${changed.toLocaleString('en-US')}`, values: reference },
      bar: { atMost: 1.5 },
    });
  }
  return measurements;
}

/** Stores a message with that number in each chat, and rolls up. Returns the time of the roll-up in milliseconds. */
async function msOfRollUp(store: Store, chats: number[], number: number): Promise<number> {
  await store.merge(
    chats.map(
      (chat): Write => ({ kind: 'message', token, chat, number, revision: 0, at: number, content: { body: 'hello' } }),
    ),
  );
  let visited = 0;
  const counters = async (parents: unknown[]) => parents.map(() => number);
  const ms = await msOf(async () => {
    visited = await rollUp(store, { counters });
  });
  if (visited < chats.length) throw new Error(`The roll-up visited only ${visited} marks`);
  return ms;
}
