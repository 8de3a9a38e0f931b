import type { ContentChange, MessageContent } from '../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../model/keys.ts';

/**
 * The ledger accepts writes: it gives the number and makes the write durable, and that is all an answer waits for. SQL
 * and the search index are never asked.
 *
 * On AWS a write is two remote calls (a DynamoDB counter, then an SQS message) that may fail between each other; the
 * embedded ledger does both in one transaction. For both: when a call returns, the write is durable and its number final.
 * When it throws a DomainError with `appliedNothing`, no number was taken. When it throws `Unavailable`, the write may or
 * may not have been accepted; a create that is repeated with its idempotency key is completed under its first number.
 * Every call may throw `Throttled` or `Unavailable`; a call with a key also `KeyReused` or `KeyInFlight`.
 *
 * `requestId` travels with the write, so that every log on its way has it. Nothing else depends on it.
 */
export interface Ledger extends Restorable {
  /** Accepts an application and gives it a token of 128 random bits. */
  createApplication(name: string, context?: CreateContext): Promise<{ token: string; at: number }>;

  /**
   * Accepts a chat under the application's next number.
   * @throws NotFound; NumbersUsedUp when `limits.highestNumber` is reached
   */
  createChat(token: string, name: string | null, context?: CreateContext): Promise<{ number: number; at: number }>;

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
  /** @throws NotFound for the application or chat; RevisionsUsedUp at `limits.highestRevision` */
  editChat(chat: ChatKey, name: string | null, context?: WriteContext): Promise<Edited>;
  /**
   * Accepts new values for some members of a message, stored yet or not.
   * @throws NotFound for the application, chat or message; RevisionsUsedUp at `limits.highestRevision`
   */
  editMessage(message: MessageKey, change: ContentChange, context?: WriteContext): Promise<{ at: number }>;

  /** @throws NotFound */
  deleteApplication(token: string, context?: WriteContext): Promise<void>;
  /** @throws NotFound for the application or chat */
  deleteChat(chat: ChatKey, context?: WriteContext): Promise<void>;
  /** @throws NotFound for the application, chat or message */
  deleteMessage(message: MessageKey, context?: WriteContext): Promise<void>;

  /** An application that was accepted and not deleted. */
  application(token: string): Promise<LedgerEntry<string> | undefined>;
  /** A chat that was accepted and not deleted, with its application. */
  chat(token: string, chat: number): Promise<LedgerEntry<string | null> | undefined>;
  /** Whether a message was accepted and not deleted, with its chat and application. */
  hasMessage(token: string, chat: number, number: number): Promise<boolean>;

  /**
   * The highest number given to the chats of each application or, where `chat` is said, to the messages of that chat.
   * Undefined for what is not there any more. A counter may be out of bounds or NaN, see `Restorable.entries`.
   */
  counters(parents: Parent[]): Promise<(number | undefined)[]>;

  /**
   * Forgets up to `limit` entries below something deleted. Returns how many it forgot. What was deleted itself stays known
   * as deleted, so that no write is ever accepted for it again.
   */
  purge(deleted: Parent, limit: number): Promise<number>;
}

/** Where a write comes from. */
export interface WriteContext {
  requestId?: string | undefined;
}

/** A create may have an idempotency key. */
export interface CreateContext extends WriteContext {
  key?: IdempotencyKey | undefined;
}

/** The client's Idempotency-Key: `id` names the key in its scope (method and path), `payload` the request's content. */
export interface IdempotencyKey {
  id: string;
  payload: string;
}

/** What the ledger knows of an application or chat. Times are in milliseconds since 1970. */
export interface LedgerEntry<Name> {
  name: Name;
  createdAt: number;
  updatedAt: number;
}

/** An accepted edit: when it was accepted, and when what it changes was created. */
export interface Edited {
  createdAt: number;
  at: number;
}

/** An application or chat as the ledger keeps it, deleted or not. */
export interface WholeEntry extends Parent, LedgerEntry<string | null> {
  /** That of its last edit; 0 without one. */
  revision: number;
  deleted: boolean;
  /** The highest number given to its chats or messages. */
  highest: number;
}

/** A message that was edited or deleted, as the ledger keeps it. */
export interface ChangedMessage extends MessageKey {
  revision: number;
  deleted: boolean;
}

/** What the ledger holds, to be compared with the store, and how it gets back what it lost. */
export interface Restorable {
  /** The tokens of all applications, deleted ones too, in no order; reads the whole ledger, piece by piece. */
  tokens(): AsyncIterable<string>;
  /**
   * The entries as they stand, in the order asked for; undefined for what is not there. Values may be out of bounds, or NaN
   * where the ledger holds no number: earlier versions of import did not check them.
   */
  entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]>;
  /** The same of messages; undefined for those that were neither edited nor deleted. */
  changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]>;

  /** The numbers of a chat's messages that were deleted, up to `limit` at a time and in no order. */
  deletedMessages(chat: ChatKey, limit: number): AsyncIterable<number[]>;

  /**
   * Puts the entry where it is missing. One that is there gets what is ahead of it: its counter is raised to `highest`, a
   * higher revision brings its name, a deletion ends it; nothing ever goes back. Safe to repeat, also after an unknown
   * outcome; nothing is sent.
   *
   * @throws RangeError when a number, counter, revision or time is out of bounds; see lib/model/bounds.ts
   */
  restore(entry: WholeEntry): Promise<void>;
  /**
   * The same for a message that was edited or deleted. Its chat need not be there.
   *
   * @throws RangeError
   */
  restoreMessage(message: ChangedMessage): Promise<void>;
}
