import type { Inputs } from './inputs.ts';
import { charge, type PriceName, type Prices } from './prices.ts';
import { hoursPerMonth } from './quantities.ts';

/** The resources of stage single. test/infra/cost-floor.test.ts compares them with the template. */
export interface SingleFloor {
  instances: number;
  /** Of the disk of the instance and of the data volume, in GB. */
  rootGb: number;
  dataGb: number;
  addresses: number;
  /** Schedules of the health check, each once a minute. */
  checks: number;
  /** The memory of the function that checks, in MB. */
  checkMb: number;
  /** Metrics that the machine reports, every hour. */
  metrics: number;
  alarmMetrics: number;
  keys: number;
}

export const singleFloor: SingleFloor = {
  instances: 1,
  rootGb: 8,
  dataGb: 10,
  addresses: 1,
  checks: 1,
  checkMb: 128,
  metrics: 1,
  alarmMetrics: 4,
  keys: 1,
};

/** Returns the cost of a month of stage single, by kind of resource. It does not depend on the number of messages. */
export function monthlySingle(floor: SingleFloor, inputs: Inputs, prices: Prices): Record<string, number> {
  const cost = (price: PriceName, quantity: number) => charge(prices[price], quantity);
  const runs = floor.checks * hoursPerMonth * 60;
  return {
    instance: cost('instanceHour', floor.instances * hoursPerMonth),
    disks: cost('diskGbMonth', floor.instances * floor.rootGb + floor.dataGb),
    'public address': cost('addressHour', floor.addresses * hoursPerMonth),
    'health check':
      cost('scheduledEvent', runs) +
      cost('functionRequest', runs) +
      cost('functionGbSecondArm', ((runs * inputs.healthCheckMs) / 1_000) * (floor.checkMb / 1_024)) +
      cost('logGb', (runs * inputs.logBytes) / 1e9),
    'metrics, alarms and their key':
      cost('metricMonth', floor.metrics) +
      cost('metricCall', floor.metrics * hoursPerMonth) +
      cost('alarmMetricMonth', floor.alarmMetrics) +
      cost('keyMonth', floor.keys),
  };
}

/** The nightly backups of two weeks (deploy/one-machine/chat-system-backup.service). */
const backups = 14;
/** The daily snapshots of a week (infra/constructs/daily-snapshots.ts). */
const snapshots = 7;

/**
 * Returns the monthly cost of the snapshots of a million stored messages. The first snapshot has the data folder and all
 * backups, and each later one has the new backup and the data that changed.
 */
export const monthlySnapshots = (inputs: Inputs, prices: Prices): number => {
  const dataGb = inputs.embeddedBytes / 1_000;
  return charge(prices.snapshotGbMonth, dataGb * (1 + backups + (snapshots - 1) * 2));
};

/** The share of a vCPU of t4g.small that is included. CPU time above it is charged when the CPU credits are used up. */
const baseline = 0.2;

/** Returns the monthly price of the two vCPUs of a t4g.small that are fully busy, in addition to the instance. */
export const monthlySurplus = (prices: Prices): number =>
  charge(prices.instanceSurplusVcpuHour, 2 * (1 - baseline) * hoursPerMonth);
