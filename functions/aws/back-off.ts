import type { SQSRecord } from 'aws-lambda';
import type { Queue } from '../../lib/queue/queue.ts';
import { log, logEvents } from '../runtime/observe/log.ts';
import { type BatchHandler, retryDelaySeconds } from '../runtime/worker.ts';

/**
 * Makes the failed records of a worker visible again soon. Otherwise SQS would hide them for the whole visibility
 * timeout, which is six times the worker's time limit.
 */
export const backingOff =
  (worker: BatchHandler, queue: Pick<Queue, 'release'>): BatchHandler =>
  async (event, context) => {
    const response = await worker(event, context);
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const byDelay = Map.groupBy(
      event.Records.filter(({ messageId }) => failed.has(messageId)),
      (record: SQSRecord) => retryDelaySeconds(Number(record.attributes.ApproximateReceiveCount)),
    );
    try {
      for (const [delay, records] of byDelay)
        await queue.release(
          records.map(({ receiptHandle }) => receiptHandle),
          delay,
        );
    } catch (error) {
      // SQS delivers the records again anyway, only later.
      log.warn(logEvents.queueFailed, { error: error as Error });
    }
    return response;
  };
