import { applicationNotFound, chatNotFound, messageNotFound, tooManyRequests } from '../api/problems.ts';
import { isNumber } from '../bounds.ts';
import { limits } from '../limits.ts';
import type { MessageKey, Write } from '../queue/records.ts';
import { newToken } from '../token.ts';
import {
  numberOrNone,
  numbersUsedUp,
  requireEntryInBounds,
  requireMessageInBounds,
  revisionsUsedUp,
} from './bounds.ts';
import { claimingUpdate, fenceOf, lastClaims, numberClaimed, removalOfOldClaims } from './claims.ts';
import { counterOf, entryOf, nameValue, newItem, parentKey } from './dynamodb-items.ts';
import { applicationKey, chatKey, messageKey } from './dynamodb-keys.ts';
import { purgeItems } from './dynamodb-purge.ts';
import {
  changedMessagesIn,
  deletedMessagesIn,
  entriesIn,
  restoreChangedMessage,
  restoreEntry,
  tokensIn,
} from './dynamodb-restore.ts';
import { type DynamodbTable, type Item, type ItemKey, number, numberIn } from './dynamodb-table.ts';
import { IdempotencyKeys, isExpired, type KeyInHand } from './idempotency-keys.ts';
import type { Edited, IdempotencyKey, Ledger, LedgerEntry, Parent } from './ledger.ts';
import type { ParkedWrites } from './parked-writes.ts';
import type { ChangedMessage, WholeEntry } from './restore.ts';
import { recordsOf } from './store-records.ts';

/** A conditional update's condition that what it changes is there and not deleted. */
const live = 'attribute_exists(pk) AND attribute_not_exists(deleted)';

const isLive = (item: Item | undefined): item is Item => item !== undefined && item.deleted === undefined;

/** The condition that there is a revision left for an edit, with `:highest`. */
const revisionLeft = 'revision < :highest';

/** Stamps that a keyed take tries, each above the fence that refused the one before. */
const stampsTried = 5;

/**
 * How often a keyed take is tried while the counter is throttled: once less than a keyless one, which its client cannot
 * safely repeat. So keyless creates keep more than half of their rate beside a flood of keyed ones in the same chat.
 */
const keyedTries = 2;

/** Why an item was not changed: it does not exist or is deleted, or its numbers or revisions are used up. */
type Refusal = 'not live' | 'used up';

/**
 * The ledger in a DynamoDB table. A number is taken by one conditional update of the parent's counter, which is the check
 * that the parent is there and the number at once; then the write is sent to the store queue or, while that is out,
 * parked in the table.
 *
 * A message's counter stands in its chat, and the application above is not asked: below a deleted application, creates
 * are refused once it is purged.
 */
export class DynamodbLedger implements Ledger {
  readonly #table: DynamodbTable;
  readonly #parked: ParkedWrites;
  readonly #keys: IdempotencyKeys;
  readonly #now: () => number;
  readonly #onFailedUpkeep: (error: unknown) => void;

  /**
   * @param onFailedUpkeep told of errors in work that a request does for others; its own answer does not depend on it
   */
  constructor(
    table: DynamodbTable,
    parked: ParkedWrites,
    now: () => number = Date.now,
    onFailedUpkeep: (error: unknown) => void = () => undefined,
  ) {
    this.#table = table;
    this.#parked = parked;
    this.#keys = new IdempotencyKeys(table, now);
    this.#now = now;
    this.#onFailedUpkeep = onFailedUpkeep;
  }

  async createApplication(name: string, key?: IdempotencyKey, requestId?: string) {
    return await this.#once(key, async ({ at, candidate: token }) => {
      await this.#table.insert({ ...newItem(applicationKey(token), name, at), chats: number(0) });
      await this.#send([{ kind: 'application', token, revision: 0, at, name }], requestId);
      return { token, at };
    });
  }

  async createChat(token: string, name: string | null, key?: IdempotencyKey, requestId?: string) {
    return await this.#once(key, async ({ at, held }) => {
      const chat = await this.#take(applicationKey(token), 'chats', 1, held);
      if (chat === 'not live') throw applicationNotFound();
      if (chat === 'used up') throw numbersUsedUp('token');
      await this.#table.insert({ ...newItem(chatKey(token, chat), name, at), messages: number(0) });
      await this.#send([{ kind: 'chat', token, chat, revision: 0, at, name }], requestId);
      return { number: chat, at };
    });
  }

  async createMessages(token: string, chat: number, bodies: string[], key?: IdempotencyKey, requestId?: string) {
    const parent = chatKey(token, numberOrNone(chat));
    return await this.#once(key, async ({ at, held }) => {
      const last = await this.#take(parent, 'messages', bodies.length, held);
      if (last === 'not live') {
        await this.#requireApplication(token);
        throw chatNotFound(chat);
      }
      if (last === 'used up') throw numbersUsedUp('chat_number');
      const first = last - bodies.length + 1;
      await this.#send(
        bodies.map((body, i) => ({ kind: 'message', token, chat, number: first + i, revision: 0, at, body })),
        requestId,
      );
      return { first, at };
    });
  }

  async editApplication(token: string, name: string, requestId?: string) {
    const renamed = await this.#rename(applicationKey(token), name);
    if (renamed === 'not live') throw applicationNotFound();
    if (renamed === 'used up') throw revisionsUsedUp('token');
    const { createdAt, at, revision } = renamed;
    await this.#send([{ kind: 'application', token, revision, at, name }], requestId);
    return { createdAt, at };
  }

  async editChat(token: string, chat: number, name: string | null, requestId?: string) {
    await this.#requireApplication(token);
    const renamed = await this.#rename(chatKey(token, numberOrNone(chat)), name);
    if (renamed === 'not live') throw chatNotFound(chat);
    if (renamed === 'used up') throw revisionsUsedUp('chat_number');
    const { createdAt, at, revision } = renamed;
    await this.#send([{ kind: 'chat', token, chat, revision, at, name }], requestId);
    return { createdAt, at };
  }

  async editMessage(token: string, chat: number, message: number, body: string, requestId?: string) {
    const at = this.#now();
    await this.#requireMessage(token, chat, message);
    const outcome = await this.#table.update(messageKey(token, chat, message), {
      UpdateExpression: 'ADD revision :one',
      ConditionExpression: `attribute_not_exists(deleted) AND (attribute_not_exists(revision) OR ${revisionLeft})`,
      ExpressionAttributeValues: { ':one': number(1), ':highest': number(limits.highestRevision) },
    });
    if ('refused' in outcome)
      throw outcome.refused?.deleted ? messageNotFound(message) : revisionsUsedUp('message_number');
    const revision = numberIn(outcome.done, 'revision');
    await this.#send([{ kind: 'message', token, chat, number: message, revision, at, body }], requestId);
    return { at };
  }

  async deleteApplication(token: string, requestId?: string) {
    if (!(await this.#delete(applicationKey(token), live, { token }, requestId))) throw applicationNotFound();
  }

  async deleteChat(token: string, chat: number, requestId?: string) {
    await this.#requireApplication(token);
    if (!(await this.#delete(chatKey(token, numberOrNone(chat)), live, { token, chat }, requestId)))
      throw chatNotFound(chat);
  }

  async deleteMessage(token: string, chat: number, message: number, requestId?: string) {
    await this.#requireMessage(token, chat, message);
    const deletion = { token, chat, number: message };
    if (!(await this.#delete(messageKey(token, chat, message), 'attribute_not_exists(deleted)', deletion, requestId)))
      throw messageNotFound(message);
  }

  async application(token: string) {
    const [item] = await this.#live([applicationKey(token)]);
    return item && (entryOf(item) as LedgerEntry<string>);
  }

  async chat(token: string, chat: number) {
    const [application, item] = await this.#live([applicationKey(token), chatKey(token, chat)]);
    return application && item && entryOf(item);
  }

  async hasMessage(token: string, chat: number, message: number): Promise<boolean> {
    if (!isNumber(chat) || !isNumber(message)) return false;
    const [application, item, changed] = await this.#table.get([
      applicationKey(token),
      chatKey(token, chat),
      messageKey(token, chat, message),
    ]);
    if (!application || application.deleted || !item || item.deleted) return false;
    return message <= numberIn(item, 'messages') && !changed?.deleted;
  }

  async counters(parents: Parent[]): Promise<(number | undefined)[]> {
    const items = await this.#table.get(parents.map(parentKey));
    return items.map((item, i) => {
      const counter = counterOf(parents[i] as Parent);
      // A purged chat's tombstone has none.
      return item?.[counter] && numberIn(item, counter);
    });
  }

  purge(deleted: Parent, limit: number): Promise<number> {
    return purgeItems(this.#table, deleted, limit);
  }

  tokens(): AsyncIterable<string> {
    return tokensIn(this.#table);
  }

  entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]> {
    return entriesIn(this.#table, parents);
  }

  changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]> {
    return changedMessagesIn(this.#table, keys);
  }

  deletedMessages(chat: { token: string; chat: number }, limit: number): AsyncIterable<number[]> {
    return deletedMessagesIn(this.#table, chat, limit);
  }

  async restore(entry: WholeEntry): Promise<void> {
    requireEntryInBounds(entry);
    await restoreEntry(this.#table, entry);
  }

  async restoreMessage(message: ChangedMessage): Promise<void> {
    requireMessageInBounds(message);
    await restoreChangedMessage(this.#table, message);
  }

  /** Takes the next `count` numbers of a counter. Returns the last of them, or why there are none. */
  async #take(
    parent: ItemKey,
    counter: 'chats' | 'messages',
    count: number,
    held: KeyInHand | undefined,
  ): Promise<number | Refusal> {
    const condition = `${live} AND #counter <= :room`;
    const values = { ':count': number(count), ':room': number(limits.highestNumber - count) };
    if (held) return await this.#takeOnce(parent, counter, count, held, { condition, values });
    const outcome = await this.#table.update(parent, {
      UpdateExpression: 'ADD #counter :count',
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#counter': counter },
      ExpressionAttributeValues: values,
    });
    if ('refused' in outcome) return isLive(outcome.refused) ? 'used up' : 'not live';
    await this.#upkeep(parent, outcome.done, false);
    return numberIn(outcome.done, counter);
  }

  /** Takes the numbers for a key, or finds those that it has; they are on record at the key when this returns. */
  async #takeOnce(
    parent: ItemKey,
    counter: 'chats' | 'messages',
    count: number,
    { claim, first, number: recorded, ...held }: KeyInHand,
    room: { condition: string; values: Item },
  ): Promise<number | Refusal> {
    if (recorded !== undefined) return isLive((await this.#table.get([parent]))[0]) ? recorded : 'not live';
    let { stamp } = held;
    for (let tried = 1; tried <= stampsTried; tried++) {
      const update = claimingUpdate(counter, { claim, stamp, fences: !first }, room);
      const outcome = await this.#table.update(parent, update, { returned: 'ALL_OLD', tries: keyedTries });
      if ('done' in outcome) {
        const taken = numberIn(outcome.done, counter) + count;
        const upkeep = this.#upkeep(parent, outcome.done, true);
        try {
          return await this.#keys.record({ ...claim, number: taken });
        } finally {
          await upkeep;
        }
      }
      if (!isLive(outcome.refused)) return 'not live';
      const claimed = numberClaimed(outcome.refused, claim);
      if (claimed !== undefined) return await this.#keys.record({ ...claim, number: claimed });
      if (fenceOf(outcome.refused) < stamp) return 'used up';
      stamp = fenceOf(outcome.refused) + 1;
    }
    throw tooManyRequests(new Error('the fence rose before each try'));
  }

  /**
   * What a take does for the requests before it: it removes old claims from the item, and after a keyed take it puts the
   * numbers of the claims it found on record. It never throws, because its own number is taken.
   */
  async #upkeep(parent: ItemKey, item: Item, keyed: boolean): Promise<void> {
    const now = this.#now();
    const removal = removalOfOldClaims(item, (begunAt) => isExpired(begunAt, now));
    const work = [
      ...(removal ? [this.#table.update(parent, removal)] : []),
      ...(keyed ? [this.#keys.recordForOthers(lastClaims(item))] : []),
    ];
    for (const done of await Promise.allSettled(work))
      if (done.status === 'rejected') this.#onFailedUpkeep(done.reason);
  }

  async #rename(key: ItemKey, name: string | null): Promise<(Edited & { revision: number }) | Refusal> {
    const at = this.#now();
    const outcome = await this.#table.update(key, {
      UpdateExpression: 'SET #name = :name, updated_at = :at ADD revision :one',
      ConditionExpression: `${live} AND ${revisionLeft}`,
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: {
        ':name': nameValue(name),
        ':at': number(at),
        ':one': number(1),
        ':highest': number(limits.highestRevision),
      },
    });
    if ('refused' in outcome) return isLive(outcome.refused) ? 'used up' : 'not live';
    return { createdAt: numberIn(outcome.done, 'created_at'), at, revision: numberIn(outcome.done, 'revision') };
  }

  /**
   * Marks the item deleted, together with the parked record of it: a deletion that was marked but never sent could not be
   * asked for again.
   *
   * @returns whether it was there to be deleted
   */
  async #delete(
    key: ItemKey,
    condition: string,
    what: { token: string; chat?: number; number?: number },
    requestId: string | undefined,
  ) {
    const at = this.#now();
    const [record] = recordsOf([{ kind: 'deletion', ...what, at }], listOf(requestId)) as [string];
    const parked = this.#parked.itemOf(record, at);
    const outcome = await this.#table.updateAndPut(
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
    if (!(await this.application(token))) throw applicationNotFound();
  }

  async #requireMessage(token: string, chat: number, message: number): Promise<void> {
    const [application, item] = await this.#live([applicationKey(token), chatKey(token, numberOrNone(chat))]);
    if (!application) throw applicationNotFound();
    if (!item) throw chatNotFound(chat);
    if (message > numberIn(item, 'messages') || !isNumber(message)) throw messageNotFound(message);
  }

  async #live(keys: ItemKey[]): Promise<(Item | undefined)[]> {
    return (await this.#table.get(keys)).map((item) => (item?.deleted ? undefined : item));
  }

  #send(writes: Write[], requestId: string | undefined): Promise<void> {
    return this.#parked.sendOrPark(recordsOf(writes, listOf(requestId)), this.#now());
  }

  /** Does the work once, under its key if it has one. */
  async #once<Result>(
    key: IdempotencyKey | undefined,
    work: (hand: { at: number; candidate: string; held?: KeyInHand }) => Promise<Result>,
  ): Promise<Result> {
    const candidate = newToken();
    if (!key) return await work({ at: this.#now(), candidate });
    return await this.#keys.once(key, candidate, (held) => work({ ...held, held }));
  }
}

const listOf = (requestId: string | undefined): string[] => (requestId === undefined ? [] : [requestId]);
