import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

const tier = z.strictObject({ upTo: z.number().positive().exactOptional(), price: z.number().min(0) });
const common = { unit: z.string(), per: z.number().positive(), tiers: z.array(tier).min(1), source: z.url() };
const price = z.discriminatedUnion('standing', [
  z.strictObject({ ...common, standing: z.enum(['AWS document', 'other page']), seen: z.string() }),
  z.strictObject({ ...common, standing: z.literal('from memory') }),
]);

/** The names of all prices that the model uses. */
const names = [
  'apiRequest',
  'functionRequest',
  'functionGbSecondX86',
  'functionGbSecondArm',
  'tableWriteUnit',
  'tableReadUnit',
  'tableGbMonth',
  'queueRequest',
  'scheduledEvent',
  'logGb',
  'transferOutGb',
  'databaseHour',
  'databaseGbMonth',
  'databaseProxyVcpuHour',
  'searchNodeHour',
  'searchGbMonth',
  'endpointHour',
  'secretMonth',
  'metricMonth',
  'alarmMetricMonth',
  'keyMonth',
  'traceRecorded',
  'zoneGb',
  'secretCall',
  'databaseSurplusVcpuHour',
  'tableWarmWriteUnit',
  'eventOperation',
  'eventConnectionMinute',
  'instanceHour',
  'instanceSurplusVcpuHour',
  'diskGbMonth',
  'snapshotGbMonth',
  'addressHour',
  'metricCall',
] as const;
export type PriceName = (typeof names)[number];

const list = z.strictObject({
  region: z.string(),
  why: z.string(),
  currency: z.string(),
  collected: z.iso.date(),
  rules: z.string(),
  prices: z.record(z.enum(names), price),
});
export type Prices = Record<PriceName, { per: number; tiers: z.output<typeof tier>[] }>;

/** Reads the price list, prices.json. @throws z.ZodError naming missing and wrong prices */
export const readPrices = (): z.output<typeof list> =>
  list.parse(JSON.parse(readFileSync(path.join(import.meta.dirname, 'prices.json'), 'utf8')));

/** Returns the cost of the units used in a month, each at the price of its tier. */
export function charge({ per, tiers }: Prices[PriceName], quantity: number): number {
  let [money, from] = [0, 0];
  for (const { upTo = Number.POSITIVE_INFINITY, price } of tiers) {
    money += (Math.max(0, Math.min(quantity, upTo) - from) / per) * price;
    from = upTo;
  }
  return money;
}
