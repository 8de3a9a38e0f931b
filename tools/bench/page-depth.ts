import type { Store } from '../../lib/store/store.ts';
import { median } from '../statistics/quantiles.ts';
import type { Measurement, Scale } from './figure.ts';
import { big, messagesOf } from './fill.ts';
import { inTurns } from './ratios.ts';
import { msOf } from './time.ts';

const sizes = { full: { runs: 11, pages: 50 }, smoke: { runs: 1, pages: 5 } };
const limit = 50;

/** Compares the last page of the big chat with the first. Both are read as by the list of messages. */
export async function measurePages(store: Store, scale: Scale): Promise<Measurement[]> {
  const { runs, pages } = sizes[scale];
  const { token, chat } = big;
  const page = async (after: number) => {
    const { rows } = await store.messages(token, chat, { after, order: 'asc', limit });
    const listed = rows.map(({ number }) => number);
    const missing = await store.missingNumbers(
      { token, chat, from: after + 1, to: after + limit },
      { max: limit, listed },
    );
    if (rows.length !== limit || missing.length > 0) throw new Error(`The page after ${after} is incomplete`);
  };
  const msOfPages = async (after: number) =>
    median(await Array.fromAsync({ length: pages }, () => msOf(() => page(after))));
  const deep = messagesOf[scale] - limit;
  const results = await inTurns(
    runs,
    () => msOfPages(deep),
    () => msOfPages(0),
  );
  return [
    {
      what: `the page after message ${deep.toLocaleString('en-US')}`,
      unit: 'ms',
      values: results.ours,
      reference: { what: 'the first page', values: results.reference },
      bar: { atMost: 1.2 },
    },
  ];
}
