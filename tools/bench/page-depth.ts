import type { Store } from '../../lib/store/store.ts';
import { median } from '../statistics/quantiles.ts';
import type { Measurement, Scale } from './figure.ts';
import { big, messagesOf } from './fill.ts';
import { inTurns } from './ratios.ts';
import { msOf } from './time.ts';

const sizes = { full: { runs: 11, pages: 50 }, smoke: { runs: 1, pages: 5 } };
const limit = 50;

/** The default `limit` of the list of changes. */
const changesLimit = 100;

/**
 * Compares the last page of the big chat with the first. Each is read with the queries of the list of messages, and with
 * those of the list of changes.
 *
 * @param versionOf returns the version that a message was stored with
 */
export async function measurePages(
  store: Store,
  scale: Scale,
  versionOf: (number: number) => number,
): Promise<Measurement[]> {
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
  const changesPage = async (number: number) => {
    const upTo = await store.version({ token, chat });
    const after = { version: versionOf(Math.max(number, 1)), number };
    const { changes } = await store.messageChanges({ token, chat }, { after, upTo, limit: changesLimit });
    if (changes.length !== changesLimit) throw new Error(`The page of changes after ${number} is incomplete`);
  };
  const compare = async (what: string, read: (after: number) => Promise<void>, size: number) => {
    const msOfPages = async (after: number) =>
      median(await Array.fromAsync({ length: pages }, () => msOf(() => read(after))));
    const deep = messagesOf[scale] - size;
    const results = await inTurns(
      runs,
      () => msOfPages(deep),
      () => msOfPages(0),
    );
    return {
      what: `the page${what} after message ${deep.toLocaleString('en-US')}`,
      unit: 'ms',
      values: results.ours,
      reference: { what: 'the first page', values: results.reference },
      bar: { atMost: 1.2 },
    };
  };
  return [await compare('', page, limit), await compare(' of changes', changesPage, changesLimit)];
}
