import { createHash } from 'node:crypto';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type DeadLetter, type Delivery, type KeptDeadLetter, NotSent, type Outbox, type Queue } from '../queue.ts';
import { asciiJson } from '../records.ts';

/** SQS takes and returns at most ten messages per call, with at most 1 MiB in all. */
const perCall = 10;
const bytesPerCall = 1_000_000;

/** Without a wait, SQS asks only some of its servers and may return nothing though there are dead letters. */
const deadLetterWaitSeconds = 1;

/** The attribute of a dead letter that holds the worker's reason. */
const reasonAttribute = 'reason';

const inTens = <Item>(items: Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / perCall) }, (_, i) => items.slice(i * perCall, (i + 1) * perCall));

const hashOf = (body: string): string => createHash('sha256').update(body).digest('base64');

interface OutgoingMessage {
  body: string;
  reason?: string;
}

/** Sends to a queue in SQS. */
export class SqsOutbox implements Outbox {
  protected readonly client: SQSClient;
  protected readonly url: string;

  constructor(client: SQSClient, url: string) {
    this.client = client;
    this.url = url;
  }

  /** @throws NotSent with the messages whose sending is not confirmed */
  send(bodies: string[]): Promise<void> {
    return sendAll(
      this.client,
      this.url,
      bodies.map((body) => ({ body: asciiJson(body) })),
    );
  }
}

/** A queue in SQS, with its dead-letter queue. */
export class SqsQueue extends SqsOutbox implements Queue {
  readonly #deadLetterUrl: string;

  constructor(client: SQSClient, url: string, deadLetterUrl: string) {
    super(client, url);
    this.#deadLetterUrl = deadLetterUrl;
  }

  bury(deadLetters: DeadLetter[]): Promise<void> {
    return sendAll(this.client, this.#deadLetterUrl, deadLetters);
  }

  async receive(max: number): Promise<Delivery[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.url,
        MaxNumberOfMessages: Math.min(max, perCall),
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    );
    return Messages.map(({ ReceiptHandle = '', Body = '', Attributes }) => ({
      receipt: ReceiptHandle,
      body: Body,
      receives: Number(Attributes?.ApproximateReceiveCount),
    }));
  }

  acknowledge(receipts: string[]): Promise<void> {
    return this.#remove(this.url, receipts);
  }

  release(receipts: string[], delaySeconds: number): Promise<void> {
    return this.#release(this.url, receipts, delaySeconds);
  }

  async deadLetters(max: number): Promise<KeptDeadLetter[]> {
    const deadLetters: KeptDeadLetter[] = [];
    const receipts: string[] = [];
    while (deadLetters.length < max) {
      const messages = await this.#receiveDeadLetters(max - deadLetters.length);
      if (messages.length === 0) break;
      for (const { Body = '', MessageAttributes, Attributes, ReceiptHandle = '' } of messages) {
        // A dead letter without a worker's reason was moved by SQS itself, after too many deliveries.
        const reason = MessageAttributes?.[reasonAttribute]?.StringValue ?? 'delivered too often without success';
        deadLetters.push({ body: Body, reason, at: Number(Attributes?.SentTimestamp) });
        receipts.push(ReceiptHandle);
      }
    }
    await this.#release(this.#deadLetterUrl, receipts, 0);
    return deadLetters;
  }

  async deadLetterCount(): Promise<number> {
    const { Attributes } = await this.client.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.#deadLetterUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
  }

  async *redrive(): AsyncGenerator<number> {
    const gone = new Set<string>();
    const back: string[] = [];
    const count = await this.deadLetterCount();
    // SQS cannot list a queue and its count is approximate, so receive until only messages we already redrove come back.
    while (back.length <= count) {
      const messages = await this.#receiveDeadLetters(perCall);
      if (messages.length === 0) break;
      const fresh = messages.filter(({ Body = '' }) => !gone.has(hashOf(Body)));
      const receiptsOf = (some: Message[]) => some.map(({ ReceiptHandle = '' }) => ReceiptHandle);
      back.push(...receiptsOf(messages.filter((message) => !fresh.includes(message))));
      await this.send(fresh.map(({ Body = '' }) => Body));
      await this.#remove(this.#deadLetterUrl, receiptsOf(fresh));
      for (const { Body = '' } of fresh) gone.add(hashOf(Body));
      if (fresh.length > 0) yield fresh.length;
    }
    await this.#release(this.#deadLetterUrl, back, 0);
  }

  async #receiveDeadLetters(max: number): Promise<Message[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#deadLetterUrl,
        MaxNumberOfMessages: Math.min(max, perCall),
        MessageAttributeNames: [reasonAttribute],
        MessageSystemAttributeNames: ['SentTimestamp'],
        WaitTimeSeconds: deadLetterWaitSeconds,
      }),
    );
    return Messages;
  }

  async #remove(QueueUrl: string, receipts: string[]): Promise<void> {
    for (const ten of inTens(receipts)) {
      const Entries = ten.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      const { Failed = [] } = await this.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      if (Failed[0]) throw new Error(`SQS refused to delete ${Failed.length} messages: ${Failed[0].Code}`);
    }
  }

  async #release(QueueUrl: string, receipts: string[], delaySeconds: number): Promise<void> {
    for (const ten of inTens(receipts)) {
      const Entries = ten.map((ReceiptHandle, i) => ({
        Id: String(i),
        ReceiptHandle,
        VisibilityTimeout: delaySeconds,
      }));
      const { Failed = [] } = await this.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      if (Failed[0]) throw new Error(`SQS refused to release ${Failed.length} messages: ${Failed[0].Code}`);
    }
  }
}

async function sendAll(client: SQSClient, QueueUrl: string, messages: OutgoingMessage[]): Promise<void> {
  const notSent: string[] = [];
  let cause: unknown;
  for (const Entries of calls(messages)) {
    try {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      for (const { Id, Code } of Failed) {
        notSent.push(Entries.find((entry) => entry.Id === Id)?.MessageBody as string);
        cause = new Error(Code);
      }
    } catch (error) {
      notSent.push(...Entries.map(({ MessageBody }) => MessageBody as string));
      cause = error;
    }
  }
  if (notSent.length > 0) throw new NotSent(notSent, cause);
}

/** Groups the messages so that SQS takes each group in one call. */
function* calls(messages: OutgoingMessage[]): Generator<SendMessageBatchRequestEntry[]> {
  let entries: SendMessageBatchRequestEntry[] = [];
  let bytes = 0;
  for (const { body, reason } of messages) {
    const size = Buffer.byteLength(body) + Buffer.byteLength(reason ?? '');
    if (entries.length === perCall || (entries.length > 0 && bytes + size > bytesPerCall)) {
      yield entries;
      entries = [];
      bytes = 0;
    }
    entries.push({
      Id: String(entries.length),
      MessageBody: body,
      ...(reason && { MessageAttributes: { [reasonAttribute]: { DataType: 'String', StringValue: reason } } }),
    });
    bytes += size;
  }
  if (entries.length > 0) yield entries;
}
