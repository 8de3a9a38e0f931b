import { functionSizes } from '../../infra/sizes.ts';
import { limits } from '../../lib/limits.ts';
import type { Inputs } from './inputs.ts';
import type { Line, Scenario } from './lines.ts';
import { charge, type PriceName, type Prices } from './prices.ts';
import { hoursPerMonth, quantities, secondsPerMonth } from './quantities.ts';

/**
 * Returns the cost of a month of creating messages, in the currency of the price list. It is the sum of the lines that
 * `includes` selects, by default of all lines.
 */
export function monthly(
  scenario: Scenario,
  inputs: Inputs,
  prices: Prices,
  includes: (line: Line) => boolean = () => true,
): number {
  const lines = quantities(scenario, inputs);
  // The tiers of a price apply to the whole account, so each line gets its share of the total.
  return lines.filter(includes).reduce((sum, { price, quantity }) => {
    const whole = lines.filter((line) => line.price === price).reduce((all, line) => all + line.quantity, 0);
    return whole === 0 ? sum : sum + charge(prices[price], whole) * (quantity / whole);
  }, 0);
}

/** Returns the cost of a million messages. */
export const perMillion = (...args: Parameters<typeof monthly>): number =>
  (monthly(...args) / (args[0].perSecond * secondsPerMonth)) * 1e6;

/**
 * The resources that cost money even without messages. test/infra/cost-floor.test.ts compares them with the templates.
 */
export interface Floor {
  databases: number;
  databaseGb: number;
  searchNodes: number;
  searchNodeGb: number;
  /** Interface endpoints, counted once for each zone. */
  endpoints: number;
  secrets: number;
  /** RDS proxies, each of a database with two vCPUs. */
  proxies: number;
  /** Queues that Lambda polls for a worker. */
  polledQueues: number;
  schedules: number;
  /** Metrics that functions report. Metrics of AWS services are free. */
  metrics: number;
  /** Metrics that alarms watch, counted once for each alarm. */
  alarmMetrics: number;
  /** Encryption keys that AWS does not own. */
  keys: number;
}

const monitored = { metrics: 14, alarmMetrics: 61, keys: 1 };
const inEveryStage = {
  ...monitored,
  secrets: 5,
  proxies: 1,
  polledQueues: 3,
  schedules: 3,
  databaseGb: 20,
  searchNodeGb: 100,
};
export const floors = {
  dev: { ...inEveryStage, databases: 1, searchNodes: 1, endpoints: 4 },
  prod: { ...inEveryStage, databases: 2, searchNodes: 3, endpoints: 6 },
} satisfies Record<string, Floor>;

/** Returns the cost of a month without messages, by kind of resource. */
export function monthlyFloor(floor: Floor, inputs: Inputs, prices: Prices): Record<string, number> {
  const cost = (price: PriceName, quantity: number) => charge(prices[price], quantity);
  const polls = (floor.polledQueues * inputs.pollers * secondsPerMonth) / inputs.idlePollSeconds;
  const runs = floor.schedules * hoursPerMonth * 60;
  return {
    SQL:
      cost('databaseHour', floor.databases * hoursPerMonth) +
      cost('databaseGbMonth', floor.databases * floor.databaseGb) +
      cost('databaseProxyVcpuHour', floor.proxies * 2 * hoursPerMonth),
    search:
      cost('searchNodeHour', floor.searchNodes * hoursPerMonth) +
      cost('searchGbMonth', floor.searchNodes * floor.searchNodeGb),
    'private network': cost('endpointHour', floor.endpoints * hoursPerMonth),
    'queue polls, schedules, secrets':
      cost('queueRequest', polls) +
      cost('scheduledEvent', runs) +
      cost('functionRequest', runs) +
      cost('functionGbSecondArm', ((runs * inputs.scheduledMs) / 1_000) * (functionSizes.sweep.memoryMb / 1_024)) +
      cost('logGb', (runs * inputs.logBytes) / 1e9) +
      // Each schedule runs less than once a second, so X-Ray records every run.
      cost('traceRecorded', runs) +
      cost('secretMonth', floor.secrets),
    // The first three dashboards of an account are free.
    'metrics and alarms':
      cost('metricMonth', floor.metrics) + cost('alarmMetricMonth', floor.alarmMetrics) + cost('keyMonth', floor.keys),
  };
}

/**
 * Returns the monthly cost of storing a million messages or chats on all machines that store them. The index has two
 * copies when there is a second node.
 */
export const monthlyStorage = (
  { databases, searchNodes }: Floor,
  inputs: Inputs,
  prices: Prices,
): Record<string, number> => ({
  'messages in SQL': charge(prices.databaseGbMonth, (databases * inputs.rowBytes) / 1_000),
  'messages in the search index': charge(
    prices.searchGbMonth,
    (Math.min(2, searchNodes) * inputs.documentBytes) / 1_000,
  ),
  'chats in the ledger': charge(prices.tableGbMonth, inputs.chatItemBytes / 1_000),
});

/**
 * The baseline of a vCPU of db.t4g.medium. CPU time above it uses CPU credits and, when these are used up, is charged.
 */
const burstableBaseline = 0.2;

/** Returns the prices of what may cost extra, in addition to the idle stage and its messages. */
export const extraCosts = (prices: Prices): Record<string, { value: number; unit: string }> => ({
  'SQL with both vCPUs fully busy': {
    value: charge(prices.databaseSurplusVcpuHour, 2 * (1 - burstableBaseline) * hoursPerMonth),
    unit: '$ a month',
  },
  'secrets, read by ten instances of reading functions': {
    value: charge(prices.secretCall, ((10 * (60 * 60 * 1_000)) / limits.systemSecret.refreshMs) * hoursPerMonth),
    unit: '$ a month',
  },
  'a thousand followers, connected for an hour': {
    value: charge(prices.eventConnectionMinute, 1_000 * 60),
    unit: '$',
  },
  // An operation and an invocation of the authorizer for the connection, and again for the subscription.
  'starting to follow a chat, a million times': {
    value:
      charge(prices.eventOperation, 2e6) +
      charge(prices.functionRequest, 2e6) +
      charge(prices.functionGbSecondArm, (2e6 * 0.01 * functionSizes.authorizer.memoryMb) / 1_024),
    unit: '$',
  },
  'a GB sent to readers': { value: charge(prices.transferOutGb, 1), unit: '$' },
  '1,000 writes/s of warm throughput': { value: charge(prices.tableWarmWriteUnit, 1_000), unit: '$ once' },
});
