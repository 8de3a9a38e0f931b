/** A message as the queue hands it out. */
export interface Delivery {
  /** Names this delivery when it is acknowledged or released. */
  receipt: string;
  body: string;
  /** How often the message has been delivered, this time included. */
  receives: number;
}

/** A message that a worker can never process, and why. */
export interface DeadLetter {
  body: string;
  reason: string;
}

/** A dead letter as the queue keeps it. */
export interface KeptDeadLetter extends DeadLetter {
  /**
   * When it became a dead letter, in milliseconds since 1970. If SQS itself moved the message after too many
   * deliveries, this is when it was sent.
   */
  at?: number;
}

/** The queue did not confirm the messages `bodies`, so they may or may not have been sent. All others were sent. */
export class NotSent extends Error {
  readonly bodies: string[];

  constructor(bodies: string[], cause: unknown) {
    super(`The queue did not confirm ${bodies.length} messages`, { cause });
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
  /** Resolves when all the messages are durable. When it throws, some of them may be. */
  send(bodies: string[]): Promise<void>;
  /** Returns up to `max` messages that no other receiver has: fewer if they are large, none if the queue is empty. */
  receive(max: number): Promise<Delivery[]>;
  /** Removes the deliveries' messages for good. */
  acknowledge(receipts: string[]): Promise<void>;
  /** Gives the deliveries back; the queue delivers them again after `delaySeconds`. */
  release(receipts: string[], delaySeconds: number): Promise<void>;
  /**
   * Adds messages to the dead letters, where they stay until a person looks at them. The queue never delivers them. The
   * caller still has to acknowledge the deliveries that the messages came in.
   */
  addDeadLetters(deadLetters: DeadLetter[]): Promise<void>;
  /**
   * Returns the dead letters, at most `max`, and leaves them where they are. In SQS, other receivers do not see them
   * during the call or, if the process dies, for up to ten minutes.
   *
   * @throws Error when the list may not be complete, because in SQS it took more than ten minutes
   */
  deadLetters(max: number): Promise<KeptDeadLetter[]>;
  /** Returns the number of dead letters. In SQS it may be a minute old. */
  deadLetterCount(): Promise<number>;
  /**
   * Sends each dead letter back to the queue and then removes it from the dead letters. Yields after each step the
   * number of messages that it sent. A message that becomes a dead letter again during the redrive stays one, so the
   * redrive terminates. If the caller stops it early, some messages may be both in the queue and dead letters.
   */
  redrive(): AsyncGenerator<number>;
}

/**
 * The parts of a queue that its senders and workers use. Workers do not receive messages themselves; their event source
 * does.
 */
export type Outbox = Pick<Queue, 'send'>;
export type DeadLetterQueue = Pick<Queue, 'addDeadLetters'>;
