import type { ChatChange, ChatContent, ContentChange, MessageContent } from '../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../model/keys.ts';

/**
 * The ledger accepts writes: it assigns the number and makes the write durable. A response waits for nothing else.
 * Accepting a write never uses SQL or the search index.
 *
 * On AWS a write takes two remote calls (a DynamoDB counter, then an SQS message), and a failure may come between them.
 * The SQLite ledger does both in one transaction. For both: when a call returns, the write is durable and its number
 * final. When it throws a DomainError with `appliedNothing`, no number was taken. When it throws `Unavailable`, the
 * write may or may not have been accepted; a create that is repeated with its idempotency key is completed under its
 * first number. Every call may throw `Throttled` or `Unavailable`; a call with a key may also throw `KeyReused` or
 * `KeyInFlight`.
 *
 * `requestId` travels with the write, so that every log line about the write has it. Nothing else depends on it.
 */
export interface Ledger extends Restorable {
  /** Accepts an application and gives it a token of 128 random bits. */
  createApplication(name: string, context?: CreateContext): Promise<{ token: string; at: number }>;

  /**
   * Accepts a chat under the application's next number.
   * @throws NotFound; NumbersUsedUp when `limits.highestNumber` is reached
   */
  createChat(token: string, content: ChatContent, context?: CreateContext): Promise<{ number: number; at: number }>;

  /**
   * Accepts messages under the chat's next numbers, all or none: `first`, `first + 1`, …
   * @throws NotFound for the application or chat; NumbersUsedUp when they would pass `limits.highestNumber`
   */
  createMessages(
    chat: ChatKey,
    contents: MessageContent[],
    context?: CreateContext,
  ): Promise<{ first: number; at: number }>;

  /** @throws NotFound; RevisionsUsedUp at `limits.highestRevision` */
  editApplication(token: string, name: string, context?: WriteContext): Promise<Edited>;
  /**
   * Accepts new values for some members of a chat.
   * @throws NotFound for the application or chat; RevisionsUsedUp at `limits.highestRevision`
   */
  editChat(chat: ChatKey, change: ChatChange, context?: WriteContext): Promise<Edited>;
  /**
   * Accepts new values for some members of a message, whether it is stored yet or not.
   * @throws NotFound for the application, chat or message; RevisionsUsedUp at `limits.highestRevision`
   */
  editMessage(message: MessageKey, change: ContentChange, context?: WriteContext): Promise<{ at: number }>;

  /**
   * Returns the application's access generation, which only rises. Only access tokens of this generation are valid.
   * Undefined when the application does not exist or was deleted.
   */
  accessGeneration(token: string): Promise<number | undefined>;
  /**
   * Raises the application's access generation, so that all access tokens made until now end. The new generation is the
   * current time in milliseconds, or the old generation plus one if that is higher. It is a time so that no generation
   * is used twice, even if the ledger was restored to an earlier state. Only a wrong clock could break this.
   *
   * @throws NotFound
   */
  raiseAccessGeneration(token: string): Promise<void>;

  /** @throws NotFound */
  deleteApplication(token: string, context?: WriteContext): Promise<void>;
  /** @throws NotFound for the application or chat */
  deleteChat(chat: ChatKey, context?: WriteContext): Promise<void>;
  /** @throws NotFound for the application, chat or message */
  deleteMessage(message: MessageKey, context?: WriteContext): Promise<void>;

  /** Returns the application if it was accepted and not deleted. */
  application(token: string): Promise<({ name: string } & EntryTimes) | undefined>;
  /** Returns the chat if it was accepted, and neither it nor its application was deleted. */
  chat(token: string, chat: number): Promise<(ChatContent & EntryTimes) | undefined>;
  /** Returns whether a message was accepted, and neither it nor its chat nor its application was deleted. */
  hasMessage(token: string, chat: number, number: number): Promise<boolean>;

  /**
   * Returns, for each parent, the highest number assigned to one of its chats or, if the parent is a chat, to one of its
   * messages. Undefined for a parent that no longer exists. A counter may be out of bounds or NaN, see
   * `Restorable.entries`.
   */
  counters(parents: Parent[]): Promise<(number | undefined)[]>;

  /**
   * Removes up to `limit` entries below a deleted application or chat, and returns how many it removed. The deleted
   * application or chat itself stays marked as deleted, so that no write to it is ever accepted again.
   */
  purge(deleted: Parent, limit: number): Promise<number>;
}

/** What reads ask the ledger, because the store may not have it yet. */
export type LedgerReads = Pick<Ledger, 'accessGeneration' | 'application' | 'chat' | 'hasMessage'>;

/** Where a write comes from. */
export interface WriteContext {
  requestId?: string | undefined;
}

/** A create may have an idempotency key. */
export interface CreateContext extends WriteContext {
  key?: IdempotencyKey | undefined;
}

/**
 * The client's Idempotency-Key: `id` is a hash of the operation, its path parameters, the key and the caller's scope,
 * `payload` the request's content.
 */
export interface IdempotencyKey {
  id: string;
  payload: string;
}

/** The times of an application or chat, in milliseconds since 1970. */
export interface EntryTimes {
  createdAt: number;
  updatedAt: number;
}

/** An accepted edit: when it was accepted (`at`), and when the edited thing was created, in milliseconds since 1970. */
export interface Edited {
  createdAt: number;
  at: number;
}

/** An application or chat as the ledger stores it, deleted or not. An application has no metadata: null. */
export interface WholeEntry extends Parent, ChatContent, EntryTimes {
  /** The revision of its last edit; 0 if it was never edited. */
  revision: number;
  deleted: boolean;
  /** The highest number assigned to its chats or messages. */
  highest: number;
}

/** A message that was edited or deleted, as the ledger stores it. */
export interface ChangedMessage extends MessageKey {
  revision: number;
  deleted: boolean;
}

/** Reads everything in the ledger, for comparison with the store, and restores entries that the ledger has lost. */
export interface Restorable {
  /**
   * Yields the tokens of all applications, including deleted ones, in no particular order. Reads the whole ledger in
   * pages.
   */
  tokens(): AsyncIterable<string>;
  /**
   * Returns the current entries in the order of `parents`; undefined for a parent that the ledger does not have. Values
   * may be out of bounds, or NaN where the ledger has no number, because earlier versions of import did not check them.
   */
  entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]>;
  /** Returns the messages in the order of `keys`; undefined for those that were neither edited nor deleted. */
  changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]>;

  /** Yields the numbers of a chat's deleted messages, in pages of up to `limit` and in no particular order. */
  deletedMessages(chat: ChatKey, limit: number): AsyncIterable<number[]>;

  /**
   * Adds the entry if the ledger does not have it. An application that is added has a new access generation, because it
   * is not known which access tokens had been ended. If the ledger has the entry, applies only what is newer: raises
   * the counter to `highest`, sets the name and metadata of a higher revision, and applies a deletion. It never sets an
   * older value. The call may be repeated, also after an unknown outcome. It sends nothing to the store queue.
   *
   * @throws RangeError when a number, counter, revision or time is out of bounds; see lib/model/bounds.ts
   */
  restore(entry: WholeEntry): Promise<void>;
  /**
   * Does the same for a message that was edited or deleted. Its chat need not exist.
   *
   * @throws RangeError
   */
  restoreMessage(message: ChangedMessage): Promise<void>;
}
