import { Duration } from 'aws-cdk-lib';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../../lib/limits.ts';
import type { DeliverySize } from '../sizes.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';

/** The SQS actions of script/ops: it imports and redrives into the queue, and reads and removes dead letters. */
export const queueOperations = {
  queue: ['SendMessage'],
  deadLetters: ['GetQueueAttributes', 'ReceiveMessage', 'ChangeMessageVisibility', 'DeleteMessage'],
};

interface WorkQueueProps {
  /** How long a message that was delivered stays hidden from other deliveries. */
  visibility: Duration;
  /** The names of the environment variables for the URLs of the queue and of its dead-letter queue. */
  variables: { url: string; deadLetterUrl: string };
  keepData: boolean;
}

/** A queue between two steps of the data flow, with its dead-letter queue. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly #variables: WorkQueueProps['variables'];

  constructor(scope: Construct, id: string, { visibility, variables, keepData }: WorkQueueProps) {
    super(scope, id);
    this.#variables = variables;
    const common = {
      retentionPeriod: Duration.millis(limits.queueRetentionMs),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Messages hold accepted writes that may exist nowhere else yet.
      removalPolicy: removalOf(keepData),
    };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    this.queue = new Queue(this, 'Queue', {
      ...common,
      visibilityTimeout: visibility,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: limits.maxReceives },
    });
  }

  /** Lets the function send to the queue. */
  connectSender(sender: ServiceFunction): void {
    this.queue.grant(sender, 'sqs:SendMessage');
    this.#setUrls(sender);
  }

  /**
   * Lets the announcer of the function send to the queue. It does not use the dead letters, so it does not get their
   * URL.
   */
  connectAnnouncer(sender: ServiceFunction): void {
    this.queue.grant(sender, 'sqs:SendMessage');
    sender.addEnvironment(this.#variables.url, this.queue.queueUrl);
  }

  /** Delivers the messages of the queue to the worker, and lets the worker send to the dead-letter queue. */
  connectWorker(worker: ServiceFunction, { batchSize, window, maxConcurrency }: DeliverySize): void {
    worker.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize,
        maxBatchingWindow: window,
        maxConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    this.deadLetters.grant(worker, 'sqs:SendMessage');
    this.#setUrls(worker);
  }

  /** Lets an operator use script/ops on the queue and its dead letters. */
  allowOperations(operator: ManagedPolicy): void {
    this.queue.grant(operator, ...queueOperations.queue.map((action) => `sqs:${action}`));
    this.deadLetters.grant(operator, ...queueOperations.deadLetters.map((action) => `sqs:${action}`));
  }

  #setUrls(fn: ServiceFunction): void {
    fn.addEnvironment(this.#variables.url, this.queue.queueUrl);
    fn.addEnvironment(this.#variables.deadLetterUrl, this.deadLetters.queueUrl);
  }
}
