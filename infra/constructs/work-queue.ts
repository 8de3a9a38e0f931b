import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { limits } from '../../lib/limits.ts';
import type { FeedSize } from '../sizes.ts';
import { removalOf } from './removal.ts';
import type { ServiceFunction } from './service-function.ts';

interface WorkQueueProps {
  visibility: Duration;
  /** The variables that hold the addresses of the queue and of its dead letters. */
  variables: { url: string; deadLetterUrl: string };
  keepData: boolean;
}

/** A queue between two steps of the flow, and the queue of what the second can't work on. */
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
      // What is in it was accepted, and may be nowhere else yet.
      removalPolicy: removalOf(keepData),
    };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    this.queue = new Queue(this, 'Queue', {
      ...common,
      visibilityTimeout: visibility,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: limits.maxReceives },
    });
  }

  /** The function may send to the queue. */
  takesFrom(sender: ServiceFunction): void {
    this.queue.grant(sender, 'sqs:SendMessage');
    this.#address(sender);
  }

  /** The function works on what is in the queue, and puts aside what it can't work on. */
  feeds(worker: ServiceFunction, { batchSize, window, maxConcurrency }: FeedSize): void {
    worker.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize,
        maxBatchingWindow: window,
        maxConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    this.deadLetters.grant(worker, 'sqs:SendMessage');
    this.#address(worker);
  }

  #address(fn: ServiceFunction): void {
    fn.addEnvironment(this.#variables.url, this.queue.queueUrl);
    fn.addEnvironment(this.#variables.deadLetterUrl, this.deadLetters.queueUrl);
  }
}
