import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { DeadLetterQueue } from '../../lib/queue/queue.ts';
import { MalformedRecord, UnknownRecord } from '../../lib/queue/records.ts';
import { type AwsQueue, type QueueService, queueService, queues } from '../queues.ts';
import type { LambdaHandler } from './lambda.ts';
import { log, logEvents } from './observe/log.ts';
import type { Measured } from './observe/metrics.ts';
import { logged, type Report } from './observe/report.ts';

export type BatchHandler = LambdaHandler<SQSEvent, SQSBatchResponse>;

/** The longest delay before a failed record is delivered again. The delays are 1 s, 2 s, 4 s … up to this. */
const longestDelaySeconds = 60;

/** Returns how long a failed record waits for its next delivery, by the number of deliveries so far. */
export const retryDelaySeconds = (receives: number): number => Math.min(2 ** (receives - 1), longestDelaySeconds);

/** A record of a batch, with its decoded body. */
export interface Parsed<Content> {
  record: SQSRecord;
  content: Content;
}

/** A record that can never be processed, and why. */
export interface Poison {
  record: SQSRecord;
  reason: string;
}

/** The outcome of a batch. */
export interface BatchOutcome {
  poison: Poison[];
  /** Records that could not be processed this time. They are retried, the others are not. */
  failed?: SQSRecord[];
  measured: Measured;
}

interface WorkerOptions<Queue extends AwsQueue, Content, Needs> {
  /** The queue that the records come from. */
  queue: Queue;
  /** Reads a record's body. @throws MalformedRecord, UnknownRecord */
  decode: (body: string) => Content;
  /**
   * Does the work of a batch, possibly more than once. Returns the records that can never be processed or must be
   * retried, and what was measured.
   */
  work: (records: Parsed<Content>[], services: Needs) => Promise<BatchOutcome>;
  /** The message that reports a batch. */
  done: (typeof logEvents)[keyof typeof logEvents];
}

/** Returns the seconds since `at`; undefined if `at` is unknown. */
export const secondsSince = (at: number | undefined): number | undefined => at && Math.max(Date.now() - at, 0) / 1_000;

/**
 * Makes a worker into a Lambda handler for batches of SQS records.
 *
 * Records that cannot be read are poison, and so are those that `work` returns. They are moved to the dead letters with
 * their reason, and acknowledged. So they block no other record, and the queue's own limit of deliveries can be high.
 * When `work` throws, for instance because the database is unavailable, the whole batch is retried, which is safe
 * because `work` is idempotent. The failure is also reported as a metric, from which alarms detect an outage.
 *
 * A record of a newer version is retried alone, until a worker of that version takes it, because both versions run
 * during a deployment. If none ever does, the queue's own limit of deliveries makes the record a dead letter.
 */
export const worker =
  <Queue extends AwsQueue, Content extends { requests: readonly string[] }, Needs>(
    options: WorkerOptions<Queue, Content, Needs>,
  ) =>
  (services: Needs & Record<QueueService<Queue>, DeadLetterQueue> & { report?: Report | undefined }): BatchHandler => {
    const { queue, decode, work, done } = options;
    const deadLetterQueue: DeadLetterQueue = services[queueService(queue)];
    const { report = logged } = services;
    return middy<SQSEvent, SQSBatchResponse>(async ({ Records }: SQSEvent) => {
      const { parsed, malformed, unknown } = parseBatch(Records, decode);
      for (const { record, reason } of unknown)
        log.warn(logEvents.unknownRecord, { queue, message_id: record.messageId, reason });
      const { poison, failed = [], measured } = await work(parsed, services);
      const requestsOf = new Map(parsed.map(({ record, content }) => [record, content.requests]));
      const bad = [...malformed, ...poison];
      const unmoved = await moveToDeadLetters(
        bad.map((each) => ({ ...each, requests: requestsOf.get(each.record) ?? [] })),
        { queue, deadLetterQueue },
      );
      for (const record of [...bad.map(({ record }) => record), ...failed]) requestsOf.delete(record);
      const duplicates = Records.filter(isRepeated).length;
      report(done, { ...measured, duplicates, poison: bad.length - unmoved.length }, [
        ...new Set([...requestsOf.values()].flat()),
      ]);
      return failing([...unknown.map(({ record }) => record), ...failed, ...unmoved]);
    }).onError((request) => {
      const { Records } = request.event;
      log.warn(logEvents.batchFailed, { queue, records: Records.length, error: request.error as Error });
      report(logEvents.batchFailed, { [queues[queue].metrics.failed]: 1 }, []);
      request.response = failing(Records);
    }) as BatchHandler;
  };

/** Decodes the records of a batch. Malformed records are poison; those of a newer version are returned as unknown. */
function parseBatch<Content>(
  records: SQSRecord[],
  decode: (body: string) => Content,
): { parsed: Parsed<Content>[]; malformed: Poison[]; unknown: Poison[] } {
  const parsed: Parsed<Content>[] = [];
  const malformed: Poison[] = [];
  const unknown: Poison[] = [];
  for (const record of records) {
    try {
      parsed.push({ record, content: decode(record.body) });
    } catch (error) {
      if (error instanceof MalformedRecord) malformed.push({ record, reason: error.message });
      else if (error instanceof UnknownRecord) unknown.push({ record, reason: error.message });
      else throw error;
    }
  }
  return { parsed, malformed, unknown };
}

/**
 * Moves poison to the dead letters of the queue, one record at a time, and returns the records for which that failed.
 */
async function moveToDeadLetters(
  poison: (Poison & { requests: readonly string[] })[],
  { queue, deadLetterQueue }: { queue: AwsQueue; deadLetterQueue: DeadLetterQueue },
): Promise<SQSRecord[]> {
  const unmoved: SQSRecord[] = [];
  for (const { record, reason, requests } of poison) {
    const request_ids = [...new Set(requests)].join(' ') || undefined;
    const about = { queue, message_id: record.messageId, reason, request_ids };
    try {
      await deadLetterQueue.addDeadLetters([{ body: record.body, reason }]);
      log.error(logEvents.movedToDeadLetters, about);
    } catch (error) {
      // The other records are done. This one is retried, until the queue's own limit makes it a dead letter.
      log.error(logEvents.notMovedToDeadLetters, { ...about, error: error as Error });
      unmoved.push(record);
    }
  }
  return unmoved;
}

/** Returns the response that makes the queue deliver the records again. */
const failing = (records: SQSRecord[]): SQSBatchResponse => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

const isRepeated = ({ attributes }: SQSRecord): boolean => Number(attributes.ApproximateReceiveCount) > 1;
