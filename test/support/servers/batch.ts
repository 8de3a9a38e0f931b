import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { BatchHandler } from '../../../functions/runtime/worker.ts';
import { lambdaContext, sqsEvent } from '../../../local/lambda-events.ts';

const eventOf = (bodies: string[]): SQSEvent =>
  sqsEvent(
    'test',
    bodies.map((body, i) => ({ receipt: `${i + 1}`, body, receives: 1 })),
  );

/** Delivers record bodies to a worker as one batch, and returns the positions of failed records, from 1. */
export async function deliver(worker: BatchHandler, ...bodies: string[]): Promise<number[]> {
  const { batchItemFailures }: SQSBatchResponse = await worker(eventOf(bodies), lambdaContext('test'));
  return batchItemFailures.map(({ itemIdentifier }) => Number(itemIdentifier));
}
