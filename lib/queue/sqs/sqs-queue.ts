import { createHash } from 'node:crypto';
import {
  type BatchResultErrorEntry,
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

/** Without a wait, SQS queries only some of its servers, and may return nothing although there are dead letters. */
const deadLetterWaitSeconds = 1;

/**
 * How long a listing hides each dead letter from other receivers, in seconds. At 50 ms for each ten, that is enough for
 * 120,000 dead letters, the most that SQS allows to be hidden in a queue at the same time.
 */
const listingSeconds = 600;

/** The attribute of a dead letter that holds the worker's reason. */
const reasonAttribute = 'reason';

/**
 * Does the work for the items in groups of ten, for all groups at the same time.
 *
 * @returns all results
 * @throws the first error, after the work for all groups has ended
 */
async function inTens<Item, Result>(items: Item[], work: (ten: Item[]) => Promise<Result[]>): Promise<Result[]> {
  const tens = Array.from({ length: Math.ceil(items.length / perCall) }, (_, i) =>
    items.slice(i * perCall, (i + 1) * perCall),
  );
  const outcomes = await Promise.allSettled(tens.map(work));
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

const receiptsOf = (messages: Message[]): string[] => messages.map(({ ReceiptHandle = '' }) => ReceiptHandle);

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

  addDeadLetters(deadLetters: DeadLetter[]): Promise<void> {
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

  async release(receipts: string[], delaySeconds: number): Promise<void> {
    const refused = await this.#changeVisibility(this.url, receipts, delaySeconds);
    if (refused[0]) throw new Error(`SQS refused to release ${refused.length} messages: ${refused[0].Code}`);
  }

  async deadLetters(max: number): Promise<KeptDeadLetter[]> {
    const deadLetters = new Map<string | undefined, KeptDeadLetter>();
    const receipts: string[] = [];
    const end = performance.now() + listingSeconds * 1_000;
    try {
      // Each listed dead letter stays hidden meanwhile. So when SQS returns nothing, all of them are listed.
      while (deadLetters.size < max) {
        const messages = await this.#receiveDeadLetters(max - deadLetters.size, listingSeconds);
        if (messages.length === 0) break;
        receipts.push(...receiptsOf(messages));
        // From now on, the first ones become visible again and are received twice. So the loop cannot tell whether it
        // has received all of them.
        if (performance.now() >= end)
          throw new Error(
            `Listing the dead letters took longer than ${listingSeconds} s, so some may be missing. Redrive or remove some of them, or list fewer.`,
          );
        for (const { MessageId, Body = '', MessageAttributes, Attributes } of messages) {
          // A dead letter without a worker's reason was moved by SQS itself, after too many deliveries.
          const reason = MessageAttributes?.[reasonAttribute]?.StringValue ?? 'delivered too often without success';
          deadLetters.set(MessageId, { body: Body, reason, at: Number(Attributes?.SentTimestamp) });
        }
      }
    } finally {
      await this.#unhide(receipts);
    }
    return [...deadLetters.values()];
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
      back.push(...receiptsOf(messages.filter((message) => !fresh.includes(message))));
      await this.send(fresh.map(({ Body = '' }) => Body));
      await this.#remove(this.#deadLetterUrl, receiptsOf(fresh));
      for (const { Body = '' } of fresh) gone.add(hashOf(Body));
      if (fresh.length > 0) yield fresh.length;
    }
    await this.#unhide(back);
  }

  /** Makes dead letters visible at once. SQS refuses those that are visible already. */
  async #unhide(receipts: string[]): Promise<void> {
    await this.#changeVisibility(this.#deadLetterUrl, receipts, 0);
  }

  /** @param hiddenSeconds how long they stay hidden from other receivers. Default: the queue's visibility timeout */
  async #receiveDeadLetters(max: number, hiddenSeconds?: number): Promise<Message[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#deadLetterUrl,
        MaxNumberOfMessages: Math.min(max, perCall),
        VisibilityTimeout: hiddenSeconds,
        MessageAttributeNames: [reasonAttribute],
        MessageSystemAttributeNames: ['SentTimestamp'],
        WaitTimeSeconds: deadLetterWaitSeconds,
      }),
    );
    return Messages;
  }

  async #remove(QueueUrl: string, receipts: string[]): Promise<void> {
    const refused = await inTens(receipts, async (ten) => {
      const Entries = ten.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      const { Failed = [] } = await this.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      return Failed;
    });
    if (refused[0]) throw new Error(`SQS refused to delete ${refused.length} messages: ${refused[0].Code}`);
  }

  /** Returns the refusals of SQS. */
  #changeVisibility(QueueUrl: string, receipts: string[], seconds: number): Promise<BatchResultErrorEntry[]> {
    return inTens(receipts, async (ten) => {
      const Entries = ten.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: seconds }));
      const { Failed = [] } = await this.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      return Failed;
    });
  }
}

/**
 * Sends the messages, all calls at the same time. A large request takes several calls, and each may wait for its
 * timeouts. Calls one after another could leave the function no time to park the messages.
 */
async function sendAll(client: SQSClient, QueueUrl: string, messages: OutgoingMessage[]): Promise<void> {
  let cause: unknown;
  const sendCall = async (Entries: SendMessageBatchRequestEntry[]): Promise<string[]> => {
    try {
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      if (Failed[0]) cause = new Error(Failed[0].Code);
      return Failed.map(({ Id }) => Entries.find((entry) => entry.Id === Id)?.MessageBody as string);
    } catch (error) {
      cause = error;
      return Entries.map(({ MessageBody }) => MessageBody as string);
    }
  };
  const notSent = (await Promise.all([...calls(messages)].map(sendCall))).flat();
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
