import { count } from '../../cli/numbers.ts';
import { inputsFrom } from '../../cost/inputs.ts';
import type { Line, Scenario } from '../../cost/lines.ts';
import { extraCosts, type Floor, floors, monthly, monthlyFloor, monthlyStorage, perMillion } from '../../cost/money.ts';
import { readPrices } from '../../cost/prices.ts';
import { quantities, usual } from '../../cost/quantities.ts';
import { monthlySingle, monthlySnapshots, monthlySurplus, singleFloor } from '../../cost/single.ts';
import { figure, type Measurement } from '../figure.ts';

const list = readPrices();
const batches = [1, 100, 1_000] as const;
const nameOf = (batch: number): string =>
  batch === 1 ? 'single creates' : `batches of ${batch.toLocaleString('en-US')}`;

export const cost = figure({
  title: 'AWS: what messages cost',
  matrix: true,
  about: `A calculation, not a measurement: what AWS charges for creating messages of 80 characters, at the list
    prices of ${list.region} (collected ${list.collected}), from the code, the other figures, and the
    assumptions in [inputs.ts](../tools/cost/inputs.ts). [prices.json](../tools/cost/prices.json) says where each price was
    read, and which ones were not checked. Unless a row says otherwise: ${usual.perSecond} messages/s in ${usual.chats} chats, functions on arm64
    with ${usual.memoryMb.toLocaleString('en-US')} MB, a batching window of ${usual.windowSeconds} s. Free tiers and cold starts are not included.`,
  measure: async ({ say, results }) => {
    const { inputs, unmeasured } = inputsFrom(results());
    if (unmeasured.length > 0) say(`not measured yet: ${unmeasured.join(', ')}`);
    const of = (change: Partial<Scenario>, includes?: (line: Line) => boolean) =>
      perMillion({ ...usual, ...change }, inputs, list.prices, includes);
    const million = (what: string, change: Partial<Scenario>, includes?: (line: Line) => boolean): Measurement => ({
      what,
      unit: '$ a million messages',
      values: [of(change, includes)],
    });
    const month = (what: string, value: number): Measurement => ({ what, unit: '$ a month', values: [value] });
    const forEachBatch = (
      matrix: string,
      column: string,
      change: Partial<Scenario>,
      includes?: (line: Line) => boolean,
    ) => batches.map((batch) => million(`${matrix}: ${nameOf(batch)}: ${column}`, { ...change, batch }, includes));
    const forEachStage = (valuesOf: (floor: Floor) => Record<string, number>) =>
      Object.entries(floors).flatMap(([stage, floor]) =>
        Object.entries(valuesOf(floor)).map(([what, value]) => month(`stage: ${stage}: ${what}`, value)),
      );
    const lines = [...new Set(quantities(usual, inputs).map(({ what }) => what))];
    const single = monthlySingle(singleFloor, inputs, list.prices);
    const isAfterResponse = ({ part }: Line) => part === 'queues and workers';

    return [
      ...lines.flatMap((what) => forEachBatch('service', what, {}, (line) => line.what === what)),
      ...forEachBatch('service', 'all', {}),
      million('variant: single creates: Idempotency-Key', { keys: true }),
      million('variant: single creates: access token', { accessTokens: true }),
      ...[0, 1, 10, 100].map((followers) =>
        million(`variant: single creates: feed, ${count(followers, 'follower')} of each chat`, { followers }),
      ),
      ...[512, 1_024, 1_769].flatMap((memoryMb) =>
        forEachBatch('variant', `arm64, ${memoryMb.toLocaleString('en-US')} MB`, { memoryMb }),
      ),
      ...forEachBatch('variant', `x86, ${usual.memoryMb.toLocaleString('en-US')} MB`, { architecture: 'X86' }),
      ...[10, 1_000].flatMap((perSecond) =>
        [0, 1, 5].map((windowSeconds) =>
          million(
            `queues and workers alone: ${perSecond.toLocaleString('en-US')} single creates/s: batching window of ${windowSeconds} s`,
            { perSecond, windowSeconds },
            isAfterResponse,
          ),
        ),
      ),
      ...[10, 1_000, 100_000].flatMap((perSecond) =>
        ([1, 100] as const).map((batch) =>
          month(
            `load: ${perSecond.toLocaleString('en-US')} messages/s: ${nameOf(batch)}`,
            monthly({ ...usual, perSecond, batch }, inputs, list.prices),
          ),
        ),
      ),
      ...forEachStage((floor) => {
        const parts = monthlyFloor(floor, inputs, list.prices);
        const stored = Object.entries(monthlyStorage(floor, inputs, list.prices));
        return {
          ...parts,
          'all without messages': Object.values(parts).reduce((all, part) => all + part, 0),
          ...Object.fromEntries(stored.map(([what, value]) => [`a million ${what}`, value])),
        };
      }),
      ...Object.entries({
        ...single,
        'all without messages': Object.values(single).reduce((all, part) => all + part, 0),
        'snapshots of a million messages': monthlySnapshots(inputs, list.prices),
        'both vCPUs fully busy, in addition': monthlySurplus(list.prices),
      }).map(([what, value]) => month(`single: single: ${what}`, value)),
      ...Object.entries(extraCosts(list.prices)).map(([what, { value, unit }]) => ({
        what: `also charged: price: ${what}`,
        unit,
        values: [value],
      })),
    ];
  },
});
