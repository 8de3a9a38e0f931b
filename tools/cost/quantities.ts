import { queueResources } from '../../infra/queues.ts';
import { functionSizes } from '../../infra/sizes.ts';
import type { Inputs } from './inputs.ts';
import type { Line, Scenario } from './lines.ts';
import { requestLines } from './requests.ts';
import { workerLines } from './workers.ts';

/** The deployed configuration, with a load far below the limits of a new account. */
export const usual: Scenario = {
  perSecond: 100,
  batch: 1,
  architecture: 'Arm',
  memoryMb: functionSizes.write.memoryMb,
  windowSeconds: queueResources.store.delivery.window.toSeconds(),
  keys: false,
  accessTokens: false,
  chats: 100,
};

export const hoursPerMonth = 730;
export const secondsPerMonth = hoursPerMonth * 3_600;

/** Returns everything that AWS bills by use for a month of creating messages. */
export function quantities(scenario: Scenario, inputs: Inputs): Line[] {
  return [...requestLines(scenario, inputs), ...workerLines(scenario, inputs)].map((line) => ({
    ...line,
    quantity: line.quantity * secondsPerMonth,
  }));
}
