import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { sqsEvent } from '../../local/lambda-events.ts';
import { random } from './chance.ts';
import type { Faults } from './faults.ts';
import type { Caller } from './process.ts';

interface QueuedMessage {
  body: string;
  reason: string | undefined;
  visibleAt: number;
  receives: number;
}

/** A standard queue: at-least-once delivery in any order. */
export class SimulatedQueue {
  readonly messages = new Map<string, QueuedMessage>();
  readonly #faults: Pick<Faults, 'chance' | 'duplicates'>;
  #sent = 0;

  constructor(faults: Pick<Faults, 'chance' | 'duplicates'>) {
    this.#faults = faults;
  }

  send(body: string, reason?: string): void {
    this.messages.set(String(++this.#sent), { body, reason, visibleAt: Date.now(), receives: 0 });
  }

  /**
   * Returns up to `max` messages in any order and hides them. Sometimes it returns messages in flight again.
   */
  take(max: number, visibilityMs: number): [id: string, message: QueuedMessage][] {
    const due = [...this.messages].filter(
      ([, { visibleAt }]) => visibleAt <= Date.now() || this.#faults.chance(this.#faults.duplicates / 10),
    );
    const taken: [string, QueuedMessage][] = [];
    while (taken.length < max && due.length > 0) taken.push(...due.splice(random.between(0, due.length - 1), 1));
    for (const [, message] of taken) {
      message.visibleAt = Date.now() + visibilityMs;
      message.receives++;
    }
    return taken;
  }

  /** Returns the same messages as the event of a batch. */
  receive(max: number, visibilityMs: number): SQSEvent | undefined {
    const records = this.take(max, visibilityMs).map(([receipt, { body, receives }]) => ({ receipt, body, receives }));
    return records.length > 0 ? sqsEvent('simulated', records) : undefined;
  }
}

/** The visibility timeout of a queue with default settings. */
const visibilitySeconds = 30;

const messageOf = ([ReceiptHandle, { body, reason, receives }]: [string, QueuedMessage]) => ({
  MessageId: ReceiptHandle,
  ReceiptHandle,
  Body: body,
  Attributes: { ApproximateReceiveCount: String(receives) },
  MessageAttributes: reason === undefined ? {} : { reason: { DataType: 'String', StringValue: reason } },
});

const failure = (kind: string): Error => Object.assign(new Error(kind), { name: 'TimeoutError' });

/** Returns the client with which a process calls the queues, each by its URL. */
export function sqsClient(
  process: Caller,
  queues: Record<string, SimulatedQueue>,
  faults: Pick<Faults, 'chance'>,
): SQSClient {
  const queueAt = (url: string | undefined): SimulatedQueue => {
    const queue = queues[url ?? ''];
    if (!queue) throw new Error(`no queue ${url}`);
    return queue;
  };
  const run = (command: unknown) => {
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      const Failed: object[] = [];
      for (const { Id, MessageBody = '', MessageAttributes } of Entries)
        if (faults.chance(0.02)) Failed.push({ Id, Code: 'InternalError' });
        else queueAt(QueueUrl).send(MessageBody, MessageAttributes?.reason?.StringValue);
      return { Failed };
    }
    if (command instanceof ReceiveMessageCommand) {
      const { QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout = visibilitySeconds } = command.input;
      return {
        Messages: queueAt(QueueUrl)
          .take(MaxNumberOfMessages, VisibilityTimeout * 1_000)
          .map(messageOf),
      };
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      const Failed: object[] = [];
      for (const { Id, ReceiptHandle = '', VisibilityTimeout = 0 } of Entries) {
        const message = queueAt(QueueUrl).messages.get(ReceiptHandle);
        if (message && message.visibleAt > Date.now()) message.visibleAt = Date.now() + VisibilityTimeout * 1_000;
        else Failed.push({ Id, Code: 'AWS.SimpleQueueService.MessageNotInflight' });
      }
      return { Failed };
    }
    if (command instanceof GetQueueAttributesCommand) {
      const times = [...queueAt(command.input.QueueUrl).messages.values()].map(({ visibleAt }) => visibleAt);
      const visible = times.filter((time) => time <= Date.now()).length;
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(visible),
          ApproximateNumberOfMessagesNotVisible: String(times.length - visible),
        },
      };
    }
    if (command instanceof DeleteMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      for (const { ReceiptHandle = '' } of Entries) queueAt(QueueUrl).messages.delete(ReceiptHandle);
      return {};
    }
    throw new Error(`no such command: ${(command as object).constructor.name}`);
  };
  const send = (command: unknown) => process.call('sqs', () => run(command), failure);
  return { send } as unknown as SQSClient;
}
