import type { SearchIndex } from '../../lib/search/search-index.ts';
import { count } from '../cli/numbers.ts';
import { median, percentile } from '../statistics/quantiles.ts';
import type { Measurement, Setting } from './figure.ts';
import { big } from './fill.ts';
import { msOf } from './time.ts';

const sizes = { full: { runs: 5, searches: 100 }, smoke: { runs: 1, searches: 3 } };

/** The number of matches on a page. */
export const pageSize = 20;

/**
 * Queries by their frequency in the texts of messages.ts: in at least 10,000 of 1,000,000 messages, or in 10 to 131.
 */
export const queries = { common: ['e', 'th', 'the', 'everyone has'], rare: ['皮', 'qz', 'zej', 'an and the r'] };

/**
 * Searches the big chat for texts of each length, common and rare.
 *
 * @param options.scan the reference, which searches for the same text without the index
 * @param options.p99Ms the bar for the 99th percentile, in milliseconds
 * @param options.forget makes the index count all matches again, if it keeps their number for later searches; called
 *   before each search, outside of the measured time. Then searches without it are measured too
 */
export async function measureSearches(
  { scale, say }: Setting,
  options: { index: SearchIndex; scan: (q: string) => Promise<unknown>; p99Ms: number; forget?: () => void },
): Promise<Measurement[]> {
  const { runs, searches } = sizes[scale];
  const { index, scan, p99Ms, forget } = options;
  const measurements: Measurement[] = [];
  for (const [kind, texts] of Object.entries(queries))
    for (const q of texts) {
      say(`${kind}: ${q}`);
      const search = () => index.search({ ...big, q, limit: pageSize });
      const { total, totalIsMinimum } = await search();
      const ours: number[][] = [];
      const later: number[][] = [];
      const like: number[] = [];
      for (let run = 0; run < runs; run++) {
        ours.push(
          await Array.fromAsync({ length: searches }, () => {
            forget?.();
            return msOf(search);
          }),
        );
        if (forget) later.push(await Array.fromAsync({ length: searches }, () => msOf(search)));
        like.push(await msOf(() => scan(q)));
      }
      const what = `${count([...q].length, 'character')}, ${kind} (${total.toLocaleString('en-US')}${totalIsMinimum ? ' or more' : ''} matches)`;
      measurements.push(
        {
          what: `${what}: median`,
          unit: 'ms',
          values: ours.map(median),
          reference: { what: '`LIKE`', values: like },
        },
        {
          what: `${what}: 99th percentile`,
          unit: 'ms',
          values: ours.map((ms) => percentile(ms, 99)),
          bar: { atMost: p99Ms },
        },
        ...(forget ? [{ what: `${what}: median of later searches`, unit: 'ms', values: later.map(median) }] : []),
      );
    }
  return measurements;
}
