import type { Line, Scenario } from '../../cost/lines.ts';
import { inputsFrom } from '../../cost/measured.ts';
import { extrasOf, floorOf, floors, keptOf, monthly, perMillion } from '../../cost/money.ts';
import { readPrices } from '../../cost/prices.ts';
import { quantities, usual } from '../../cost/quantities.ts';
import { figure, type Measurement } from '../figure.ts';

const list = readPrices();
const batches = [1, 100, 1_000] as const;
const nameOf = (batch: number): string =>
  batch === 1 ? 'single creates' : `batches of ${batch.toLocaleString('en-US')}`;

export const cost = figure({
  title: 'AWS: what messages cost',
  about: `A calculation, not a measurement: what a million messages of 80 characters use of each service, according to the code and the figures
    above, at the list prices of ${list.region} (collected ${list.collected}; [prices.json](../tools/cost/prices.json) says where each price was read, and
    which prices are from memory). Values that are not measured are in [measured.ts](../tools/cost/measured.ts). Unless stated otherwise: ${usual.perSecond}
    messages/s in ${usual.chats} chats, arm64, ${usual.memoryMb} MB, and a batching window of ${usual.windowSeconds} s. Free tiers and cold starts
    are not included.`,
  measure: async ({ say, results }) => {
    const { inputs, unmeasured } = inputsFrom(results());
    if (unmeasured.length > 0) say(`not measured yet: ${unmeasured.join(', ')}`);
    const of = (change: Partial<Scenario>, includes?: (line: Line) => boolean) =>
      perMillion({ ...usual, ...change }, inputs, list.prices, includes);
    const million = (what: string, change: Partial<Scenario>, includes?: (line: Line) => boolean): Measurement => ({
      what,
      unit: '$ a million',
      values: [of(change, includes)],
    });
    const month = (what: string, value: number): Measurement => ({ what, unit: '$ a month', values: [value] });
    const lines = [...new Set(quantities(usual, inputs).map(({ what }) => what))];
    const isAfterResponse = ({ part }: Line) => part === 'queues and workers';

    return [
      ...batches.map((batch) => million(nameOf(batch), { batch })),
      ...([1, 1_000] as const).flatMap((batch) =>
        lines.map((what) => million(`${nameOf(batch)}: ${what}`, { batch }, (line) => line.what === what)),
      ),
      million('single creates with an Idempotency-Key', { keys: true }),
      ...batches.map((batch) => million(`x86: ${nameOf(batch)}`, { batch, architecture: 'X86' })),
      ...batches.flatMap((batch) =>
        [512, 1_024, 1_769].map((memoryMb) =>
          million(`${memoryMb.toLocaleString('en-US')} MB: ${nameOf(batch)}`, { batch, memoryMb }),
        ),
      ),
      ...[10, 1_000].flatMap((perSecond) =>
        [0, 1, 5].map((windowSeconds) =>
          million(
            `queues and workers: ${perSecond.toLocaleString('en-US')} creates/s, waiting ${windowSeconds} s`,
            { perSecond, windowSeconds },
            isAfterResponse,
          ),
        ),
      ),
      ...([1, 100] as const).flatMap((batch) =>
        [10, 1_000, 100_000].map((perSecond) =>
          month(
            `${nameOf(batch)}, ${perSecond.toLocaleString('en-US')} messages/s`,
            monthly({ ...usual, perSecond, batch }, inputs, list.prices),
          ),
        ),
      ),
      ...Object.entries(floors).flatMap(([stage, floor]) => {
        const parts = floorOf(floor, inputs, list.prices);
        const sum = Object.values(parts).reduce((all, part) => all + part, 0);
        return [
          ...Object.entries(parts).map(([what, value]) => month(`floor, ${stage}: ${what}`, value)),
          month(`floor, ${stage}`, sum),
          ...Object.entries(keptOf(floor, inputs, list.prices)).map(([what, value]) =>
            month(`keeping, ${stage}: a million ${what}`, value),
          ),
        ];
      }),
      ...Object.entries(extrasOf(list.prices)).map(([what, { value, unit }]) => ({
        what: `besides: ${what}`,
        unit,
        values: [value],
      })),
    ];
  },
});
