/** A message as the queue hands it out. */
export interface Delivery {
  /** Names this delivery when it is acknowledged or released. */
  receipt: string;
  body: string;
  /** How often the message has been delivered, this time included. */
  receives: number;
}

/** A message that can never be worked on, and why. */
export interface DeadLetter {
  body: string;
  reason: string;
}

/** A message that was put aside, as it is found there. */
export interface KeptLetter extends DeadLetter {
  /** When it was put aside, in milliseconds since 1970; when it was sent, where the queue itself gave it up in SQS. */
  at?: number;
}

/** Some messages may not have been sent: `bodies` are those whose sending is not confirmed. All others were sent. */
export class NotSent extends Error {
  readonly bodies: string[];

  constructor(bodies: string[], cause: unknown) {
    super(`The queue did not take ${bodies.length} messages`, { cause });
    this.name = 'NotSent';
    this.bodies = bodies;
  }
}

/**
 * A queue with the guarantees of an SQS standard queue: a message that was sent is delivered at least once, perhaps
 * twice, in any order, until it is acknowledged. One that is neither acknowledged nor released in time is delivered
 * again; after `limits.maxReceives` deliveries it becomes a dead letter.
 */
export interface Queue {
  /** Resolves when all the messages are durable; when it throws, some may be. */
  send(bodies: string[]): Promise<void>;
  /** Up to `max` messages that nobody else has in hand, fewer when they are large; none when there are none. */
  receive(max: number): Promise<Delivery[]>;
  /** The deliveries are done with and never come again. */
  acknowledge(receipts: string[]): Promise<void>;
  /** The deliveries failed and come again after `delaySeconds`. */
  release(receipts: string[], delaySeconds: number): Promise<void>;
  /** Puts messages aside for a person to look at. */
  bury(letters: DeadLetter[]): Promise<void>;
  /** Up to `max` of the messages put aside. */
  deadLetters(max: number): Promise<KeptLetter[]>;
  /** How many messages are put aside; SQS may be a minute late with it. */
  deadLetterCount(): Promise<number>;
  /**
   * Sends the messages that are put aside back to be delivered again, and then takes them away; answers, step by step,
   * how many more went. What comes right back stays put aside, so this ends. When it is broken off, some messages may be
   * both sent and put aside.
   */
  redrive(): AsyncGenerator<number>;
}

/** What a worker may do to a queue: the handlers never receive, their event source does. */
export type Outbox = Pick<Queue, 'send'>;
export type DeadLetterBox = Pick<Queue, 'bury'>;
