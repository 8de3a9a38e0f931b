import { limits } from '../../limits.ts';
import { isNumber } from '../../model/bounds.ts';
import type { ChatChange, ChatContent, ContentChange, MessageContent } from '../../model/content.ts';
import { NotFound, NumbersUsedUp, RevisionsUsedUp } from '../../model/errors.ts';
import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import { newToken } from '../../model/token.ts';
import type { Write } from '../../model/write.ts';
import { numberOrNone, requireEntryInBounds, requireMessageInBounds } from '../bounds.ts';
import type {
  ChangedMessage,
  CreateContext,
  Edited,
  IdempotencyKey,
  Ledger,
  WholeEntry,
  WriteContext,
} from '../ledger.ts';
import { recordsOf } from '../store-records.ts';
import { DynamodbLedgerReads } from './dynamodb-ledger-reads.ts';
import { ExistingApplications } from './existing-applications.ts';
import { IdempotencyKeys, type LeasedKey } from './idempotency-keys.ts';
import { generationName, newItem, textOrNull } from './items.ts';
import { applicationKey, chatKey, messageKey } from './keys.ts';
import { newMetadata, setMetadata } from './metadata.ts';
import { exists, itemExists, type Refusal, type Taking, takeNumbers, takeNumbersOnce } from './numbers.ts';
import type { ParkedWrites } from './parked-writes.ts';
import { purgeItems } from './purge.ts';
import {
  changedMessagesIn,
  deletedMessagesIn,
  entriesIn,
  restoreChangedMessage,
  restoreEntry,
  tokensIn,
} from './restore.ts';
import { type DynamodbTable, type ItemKey, number, numberIn } from './table.ts';

/** The condition that an edit has a revision left. `:highest` is the highest revision. */
const revisionLeft = 'revision < :highest';

interface DynamodbLedgerOptions {
  now?: () => number;
  applications?: ExistingApplications;
}

/**
 * The ledger in a DynamoDB table. One conditional update of the parent's counter both checks that the parent exists and
 * takes the number. Then the write is sent to the store queue or, while the queue is unavailable, parked in the table.
 *
 * The counter of messages is in the item of their chat, and the application's item is read only every 30 s. So messages
 * of a deleted application are still accepted for half a minute.
 */
export class DynamodbLedger extends DynamodbLedgerReads implements Ledger {
  readonly #parked: ParkedWrites;
  readonly #keys: IdempotencyKeys;

  /** @param options.applications what is known of applications; by default, only what this ledger reads */
  constructor(
    table: DynamodbTable,
    parked: ParkedWrites,
    { now = Date.now, applications = new ExistingApplications(table, now) }: DynamodbLedgerOptions = {},
  ) {
    super(table, applications, now);
    this.#parked = parked;
    this.#keys = new IdempotencyKeys(table, now);
  }

  async createApplication(name: string, { key, requestId }: CreateContext = {}) {
    return await this.#once(key, undefined, async ({ at, candidate: token }) => {
      await this.table.insert({ ...newItem(applicationKey(token), name, at), chats: number(0) });
      await this.#send([{ kind: 'application', token, revision: 0, at, name }], requestId);
      return { token, at };
    });
  }

  async createChat(token: string, content: ChatContent, { key, requestId }: CreateContext = {}) {
    return await this.#once(key, applicationKey(token), async ({ at, leased }) => {
      const chat = await this.#takeNumbers({ parent: applicationKey(token), counter: 'chats', count: 1 }, leased);
      if (chat === 'not found') throw new NotFound('application');
      if (chat === 'used up') throw new NumbersUsedUp('application');
      // The metadata is written before the chat's own item, so that nobody reads the chat without its metadata.
      if (content.metadata !== null) await this.table.insert(newMetadata({ token, chat }, content.metadata));
      await this.table.insert({ ...newItem(chatKey(token, chat), content.name, at), messages: number(0) });
      await this.#send([{ kind: 'chat', token, chat, revision: 0, at, ...content }], requestId);
      return { number: chat, at };
    });
  }

  async createMessages({ token, chat }: ChatKey, contents: MessageContent[], { key, requestId }: CreateContext = {}) {
    const parent = chatKey(token, numberOrNone(chat));
    return await this.#once(key, parent, async ({ at, leased }) => {
      if (await this.applications.isDeleted(token)) throw new NotFound('application');
      const last = await this.#takeNumbers({ parent, counter: 'messages', count: contents.length }, leased);
      if (last === 'not found') {
        await this.#requireApplication(token);
        throw new NotFound('chat', chat);
      }
      if (last === 'used up') throw new NumbersUsedUp('chat');
      const first = last - contents.length + 1;
      await this.#send(
        contents.map((content, i) => ({ kind: 'message', token, chat, number: first + i, revision: 0, at, content })),
        requestId,
      );
      return { first, at };
    });
  }

  async editApplication(token: string, name: string, { requestId }: WriteContext = {}) {
    const edited = await this.#edit(applicationKey(token), { name });
    if (edited === 'not found') throw new NotFound('application');
    if (edited === 'used up') throw new RevisionsUsedUp('application');
    const { createdAt, at, revision } = edited;
    await this.#send([{ kind: 'application', token, revision, at, name }], requestId);
    return { createdAt, at };
  }

  async editChat({ token, chat }: ChatKey, change: ChatChange, { requestId }: WriteContext = {}) {
    await this.#requireApplication(token);
    const edited = await this.#edit(chatKey(token, numberOrNone(chat)), change);
    if (edited === 'not found') throw new NotFound('chat', chat);
    if (edited === 'used up') throw new RevisionsUsedUp('chat');
    const { createdAt, at, revision } = edited;
    const { metadata } = change;
    if (metadata !== undefined) await setMetadata(this.table, { token, chat }, { metadata, revision });
    await this.#send([{ kind: 'chat', token, chat, revision, at, ...change }], requestId);
    return { createdAt, at };
  }

  async editMessage(message: MessageKey, content: ContentChange, { requestId }: WriteContext = {}) {
    const { token, chat, number: edited } = message;
    const at = this.now();
    await this.#requireMessage(message);
    const outcome = await this.table.update(messageKey(message), {
      UpdateExpression: 'ADD revision :one',
      ConditionExpression: `attribute_not_exists(deleted) AND (attribute_not_exists(revision) OR ${revisionLeft})`,
      ExpressionAttributeValues: { ':one': number(1), ':highest': number(limits.highestRevision) },
    });
    if ('refused' in outcome)
      throw outcome.refused?.deleted ? new NotFound('message', edited) : new RevisionsUsedUp('message');
    const revision = numberIn(outcome.done, 'revision');
    await this.#send([{ kind: 'message', token, chat, number: edited, revision, at, content }], requestId);
    return { at };
  }

  async raiseAccessGeneration(token: string): Promise<void> {
    const names = { ExpressionAttributeNames: { '#generation': generationName } };
    const outcome = await this.table.update(applicationKey(token), {
      UpdateExpression: 'SET #generation = :now',
      ConditionExpression: `${exists} AND (attribute_not_exists(#generation) OR #generation < :now)`,
      ...names,
      ExpressionAttributeValues: { ':now': number(this.now()) },
    });
    if ('done' in outcome) return;
    // The application does not exist, or another machine's clock is ahead of this one.
    const raised = await this.table.update(applicationKey(token), {
      UpdateExpression: 'ADD #generation :one',
      ConditionExpression: exists,
      ...names,
      ExpressionAttributeValues: { ':one': number(1) },
    });
    if ('refused' in raised) throw new NotFound('application');
  }

  async deleteApplication(token: string, context?: WriteContext) {
    if (!(await this.#delete(applicationKey(token), { condition: exists, deleted: { token } }, context)))
      throw new NotFound('application');
  }

  async deleteChat({ token, chat }: ChatKey, context?: WriteContext) {
    await this.#requireApplication(token);
    const key = chatKey(token, numberOrNone(chat));
    if (!(await this.#delete(key, { condition: exists, deleted: { token, chat } }, context)))
      throw new NotFound('chat', chat);
  }

  async deleteMessage({ token, chat, number: message }: MessageKey, context?: WriteContext) {
    const deleted = { token, chat, number: message };
    await this.#requireMessage(deleted);
    const condition = 'attribute_not_exists(deleted)';
    if (!(await this.#delete(messageKey(deleted), { condition, deleted }, context)))
      throw new NotFound('message', message);
  }

  purge(deleted: Parent, limit: number): Promise<number> {
    return purgeItems(this.table, deleted, limit);
  }

  tokens(): AsyncIterable<string> {
    return tokensIn(this.table);
  }

  entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]> {
    return entriesIn(this.table, parents);
  }

  changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]> {
    return changedMessagesIn(this.table, keys);
  }

  deletedMessages(chat: ChatKey, limit: number): AsyncIterable<number[]> {
    return deletedMessagesIn(this.table, chat, limit);
  }

  async restore(entry: WholeEntry): Promise<void> {
    requireEntryInBounds(entry);
    await restoreEntry(this.table, entry, this.now());
  }

  async restoreMessage(message: ChangedMessage): Promise<void> {
    requireMessageInBounds(message);
    await restoreChangedMessage(this.table, message);
  }

  /** Takes the next revision of an application or chat, and sets the name if the change has one. */
  async #edit(key: ItemKey, { name }: { name?: string | null }): Promise<(Edited & { revision: number }) | Refusal> {
    const at = this.now();
    const outcome = await this.table.update(key, {
      UpdateExpression: `SET ${name === undefined ? '' : '#name = :name, '}updated_at = :at ADD revision :one`,
      ConditionExpression: `${exists} AND ${revisionLeft}`,
      ...(name !== undefined && { ExpressionAttributeNames: { '#name': 'name' } }),
      ExpressionAttributeValues: {
        ...(name !== undefined && { ':name': textOrNull(name) }),
        ':at': number(at),
        ':one': number(1),
        ':highest': number(limits.highestRevision),
      },
    });
    if ('refused' in outcome) return itemExists(outcome.refused) ? 'used up' : 'not found';
    return { createdAt: numberIn(outcome.done, 'created_at'), at, revision: numberIn(outcome.done, 'revision') };
  }

  /**
   * Marks the item as deleted and parks the record of the deletion, in one transaction. If the item were marked but its
   * record never sent, a client could not request the deletion again.
   *
   * @returns whether there was an item to delete
   */
  async #delete(
    key: ItemKey,
    { condition, deleted }: { condition: string; deleted: Parent | MessageKey },
    { requestId }: WriteContext = {},
  ) {
    const at = this.now();
    const [record] = recordsOf([{ kind: 'deletion', ...deleted, at }], listOf(requestId)) as [string];
    const parked = this.#parked.itemOf(record, at);
    const outcome = await this.table.updateAndPut(
      key,
      {
        UpdateExpression: 'SET deleted = :yes REMOVE #name',
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#name': 'name' },
        ExpressionAttributeValues: { ':yes': number(1) },
      },
      parked,
    );
    if ('refused' in outcome) return false;
    await this.#parked.sendParked(parked);
    return true;
  }

  async #requireApplication(token: string): Promise<void> {
    if (!(await this.application(token))) throw new NotFound('application');
  }

  async #requireMessage({ token, chat, number: message }: MessageKey): Promise<void> {
    const [application, item] = await this.existing([applicationKey(token), chatKey(token, numberOrNone(chat))]);
    if (!application) throw new NotFound('application');
    if (!item) throw new NotFound('chat', chat);
    if (message > numberIn(item, 'messages') || !isNumber(message)) throw new NotFound('message', message);
  }

  #send(writes: Write[], requestId: string | undefined): Promise<void> {
    return this.#parked.sendOrPark(recordsOf(writes, listOf(requestId)), this.now());
  }

  #takeNumbers(taking: Taking, leased: LeasedKey | undefined): Promise<number | Refusal> {
    return leased ? takeNumbersOnce(this.table, taking, { ...leased, now: this.now }) : takeNumbers(this.table, taking);
  }

  /**
   * Does the work. With an idempotency key, does it only once.
   *
   * @param counter the item from which the work takes numbers
   */
  async #once<Result>(
    key: IdempotencyKey | undefined,
    counter: ItemKey | undefined,
    work: (use: { at: number; candidate: string; leased?: LeasedKey }) => Promise<Result>,
  ): Promise<Result> {
    const candidate = newToken();
    if (!key) return work({ at: this.now(), candidate });
    return await this.#keys.once(key, { candidate, counter }, (leased) => work({ ...leased, leased }));
  }
}

const listOf = (requestId: string | undefined): string[] => (requestId === undefined ? [] : [requestId]);
