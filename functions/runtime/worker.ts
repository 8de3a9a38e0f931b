import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { DeadLetterBox } from '../../lib/queue/queue.ts';
import { MalformedRecord } from '../../lib/queue/records.ts';
import type { LambdaHandler } from './lambda.ts';
import { events, log } from './observe/log.ts';
import type { Measured } from './observe/metrics.ts';
import { logged, type Report } from './observe/report.ts';
import type { WorkerServices } from './services.ts';

export type BatchHandler = LambdaHandler<SQSEvent, SQSBatchResponse>;

/** A failed record comes again after 1 s, 2 s, 4 s … and at the longest this. */
const longestDelaySeconds = 60;

/** How long a record waits that has failed, by how often it has been delivered. */
export const retryDelaySeconds = (receives: number): number => Math.min(2 ** (receives - 1), longestDelaySeconds);

/** A record of a batch, and what its body says. */
export interface Parsed<Content> {
  record: SQSRecord;
  content: Content;
}

/** A record that can never be worked on, and why. */
export interface Poison {
  record: SQSRecord;
  reason: string;
}

/** What came of a batch. */
export interface Worked {
  poison: Poison[];
  measured: Measured;
}

const failures = { storeQueue: 'store_failures', searchQueue: 'index_failures' } as const;

/** Seconds since then; undefined where the time is not known. */
export const secondsSince = (at: number | undefined): number | undefined => at && Math.max(Date.now() - at, 0) / 1_000;

/**
 * Makes a worker into a Lambda handler for batches of SQS records.
 *
 * Records that can't be read are poison, and so are those that `work` answers: they go to the dead letters with their
 * reason and are acknowledged, so that they hold up nobody and the queue's own limit of deliveries can be high. When
 * `work` throws, for instance because the database is out, the whole batch is delivered again: all it does is idempotent.
 * That is reported, too: it is how an outage shows. Otherwise the batch is reported under `message`.
 */
export const worker =
  <
    Queue extends 'storeQueue' | 'searchQueue',
    Content extends { requests: readonly string[] },
    Needs extends Partial<WorkerServices>,
  >(
    queue: Queue,
    message: (typeof events)[keyof typeof events],
    decode: (body: string) => Content,
    work: (records: Parsed<Content>[], services: Needs) => Promise<Worked>,
  ) =>
  (services: Needs & Record<Queue, DeadLetterBox> & { report?: Report | undefined }): BatchHandler =>
    middy<SQSEvent, SQSBatchResponse>(async ({ Records }: SQSEvent) => {
      const parsed: Parsed<Content>[] = [];
      const poison: Poison[] = [];
      for (const record of Records) {
        try {
          parsed.push({ record, content: decode(record.body) });
        } catch (error) {
          if (!(error instanceof MalformedRecord)) throw error;
          poison.push({ record, reason: error.message });
        }
      }
      const worked = await work(parsed, services);
      poison.push(...worked.poison);
      const bad = new Set(poison.map(({ record }) => record));
      const requestsOf = (some: Parsed<Content>[]) => [...new Set(some.flatMap(({ content }) => content.requests))];
      const unburied: SQSRecord[] = [];
      for (const { record, reason } of poison) {
        const request_ids = requestsOf(parsed.filter((each) => each.record === record)).join(' ') || undefined;
        const about = { queue, message_id: record.messageId, reason, request_ids };
        try {
          await services[queue].bury([{ body: record.body, reason }]);
          log.error(events.buried, about);
        } catch (error) {
          // The others are done. This one comes again, at last to the dead letters by the queue's own limit.
          log.error(events.notBuried, { ...about, error: error as Error });
          unburied.push(record);
        }
      }
      const measured = {
        ...worked.measured,
        duplicates: Records.filter(isRepeated).length,
        poison: poison.length - unburied.length,
      };
      reportOf(services)(message, measured, requestsOf(parsed.filter(({ record }) => !bad.has(record))));
      return { batchItemFailures: unburied.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    }).onError((request) => {
      log.warn(events.batchFailed, { queue, records: request.event.Records.length, error: request.error as Error });
      reportOf(services)(events.batchFailed, { [failures[queue]]: 1 }, []);
      request.response = {
        batchItemFailures: request.event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
      };
    }) as BatchHandler;

const reportOf = ({ report = logged }: { report?: Report | undefined }): Report => report;

const isRepeated = ({ attributes }: SQSRecord): boolean => Number(attributes.ApproximateReceiveCount) > 1;
