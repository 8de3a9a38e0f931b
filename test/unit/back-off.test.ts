import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { expect, test, vi } from 'vitest';
import { backingOff } from '../../functions/aws/back-off.ts';
import { log } from '../../functions/runtime/observe/log.ts';
import { retryDelaySeconds } from '../../functions/runtime/worker.ts';
import { queueResources } from '../../infra/queues.ts';
import { functionSizes, visibilityOf } from '../../infra/sizes.ts';
import { limits } from '../../lib/limits.ts';
import { lambdaContext, sqsEvent } from '../../local/lambda-events.ts';

const visibility = visibilityOf(functionSizes.worker, queueResources.store.delivery);

const respondingWith =
  (...failed: string[]) =>
  async (): Promise<SQSBatchResponse> => ({
    batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })),
  });
const batch = (...receives: number[]): SQSEvent =>
  sqsEvent(
    'test',
    receives.map((each, i) => ({ receipt: `${i}`, body: '', receives: each })),
  );
const released = async (event: SQSEvent, ...failed: string[]) => {
  const calls: [string[], number][] = [];
  const queue = { release: async (...call: [string[], number]) => void calls.push(call) };
  const response = await backingOff(respondingWith(...failed), queue)(event, lambdaContext('test'));
  expect(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(failed);
  return calls;
};

test('failed records are retried after 1 s, 2 s, 4 s … a minute, depending on their number of deliveries', async () => {
  expect(await released(batch(1, 2, 3, 3, 7, 900), '0', '1', '2', '3', '4', '5')).toEqual([
    [['0'], 1],
    [['1'], 2],
    [['2', '3'], 4],
    [['4', '5'], 60],
  ]);
});

test.each([
  ['the back-off', (receives: number) => retryDelaySeconds(receives)],
  ['the visibility timeout, when SQS does not let the worker shorten it', () => visibility.toSeconds()],
])('an outage of an hour or half a day uses few of a record’s deliveries with %s', (_what, waitSeconds) => {
  const deliveriesIn = (seconds: number) => {
    let receives = 1;
    for (let passed = 0; passed < seconds; passed += waitSeconds(receives++));
    return receives;
  };
  expect(deliveriesIn(3_600)).toBeLessThan(limits.maxReceives / 10);
  expect(deliveriesIn(12 * 3_600)).toBeLessThan(limits.maxReceives);
});

test('records that succeeded are not released', async () => {
  expect(await released(batch(1, 1, 1), '1')).toEqual([[['1'], 1]]);
  expect(await released(batch(1, 1))).toEqual([]);
});

test('the failed records are returned although the queue is unavailable', async () => {
  const warn = vi.spyOn(log, 'warn').mockReturnValue();
  const queue = { release: async () => Promise.reject(new Error('out')) };
  const response = await backingOff(respondingWith('0'), queue)(batch(1), lambdaContext('test'));
  expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '0' }] });
  expect(warn).toHaveBeenCalled();
});
