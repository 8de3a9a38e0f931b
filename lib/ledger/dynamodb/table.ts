import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Problem, tooManyRequests, unavailable } from '../../api/problems.ts';

export type Item = Record<string, AttributeValue>;

/** Names an item: the partition it lies in, and its place there. */
export interface ItemKey {
  pk: string;
  sk: string;
}

/** A change of one item, and the condition that it is made on. */
export interface ItemUpdate {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

/** What became of a conditional write: done, with the attributes asked for, or refused, with the item that stood in its way. */
export type Outcome = { done: Item } | { refused: Item | undefined };

/** Limits of DynamoDB's batch calls (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html). */
const keysPerRead = 100;
const itemsPerWrite = 25;

/** How often a call is tried. Between tries it waits 50 and 100 ms, give or take half. */
const tries = 3;
const backoffMs = 50;

/** Errors that say for certain that nothing was applied, and that another try may be. */
const notApplied = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);
/** The same of a transaction, where they stand as the reasons. */
const notAppliedReasons = new Set(['ProvisionedThroughputExceeded', 'ThrottlingError', 'TransactionConflict']);

const isNotApplied = (error: unknown): boolean =>
  (error instanceof DynamoDBServiceException && notApplied.has(error.name)) ||
  (error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => notAppliedReasons.has(Code ?? '')));

const isRefusal = (error: unknown): boolean =>
  error instanceof ConditionalCheckFailedException ||
  (error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => Code === 'ConditionalCheckFailed'));

/** A call that DynamoDB finds wrong in itself: ours to mend, and trying again is of no use. */
const isFault = (error: unknown): boolean => error instanceof DynamoDBServiceException && error.$fault === 'client';

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const keyOf = ({ pk, sk }: ItemKey): Item => ({ pk: text(pk), sk: text(sk) });
export const textIn = (item: Item, name: string): string => item[name]?.S as string;
export const numberIn = (item: Item, name: string): number => Number(item[name]?.N);

/**
 * A DynamoDB table with the keys `pk` and `sk`, and the one place that decides what is tried again. What may be repeated
 * is, after any failure; an update that counts is repeated only when nothing of it was applied, because after a timeout
 * it may have been.
 *
 * All calls throw Problem `unavailable` when DynamoDB is out or the outcome unknown. When it throttles, with nothing
 * applied, that is `too_many_requests`; but not for `insert` and `write`, which come after a number has been taken.
 */
export class DynamodbTable {
  readonly #client: DynamoDBClient;
  readonly #name: string;

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** The items as they are now, in the order of the keys; undefined where there is none. */
  async get(keys: ItemKey[]): Promise<(Item | undefined)[]> {
    const idOf = ({ pk, sk }: ItemKey) => `${pk}\n${sk}`;
    const wanted = new Map(keys.map((key) => [idOf(key), key]));
    const found = new Map<string, Item>();
    const pending = [...wanted.values()];
    while (pending.length > 0) {
      const Keys = pending.splice(0, keysPerRead).map(keyOf);
      const { Responses, UnprocessedKeys } = await this.#call(true, () =>
        this.#client.send(new BatchGetItemCommand({ RequestItems: { [this.#name]: { Keys, ConsistentRead: true } } })),
      );
      for (const item of Responses?.[this.#name] ?? [])
        found.set(idOf({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') }), item);
      for (const key of UnprocessedKeys?.[this.#name]?.Keys ?? [])
        pending.push({ pk: textIn(key, 'pk'), sk: textIn(key, 'sk') });
    }
    return keys.map((key) => found.get(idOf(key)));
  }

  /** Up to `limit` items of a partition by their place, or of those whose place begins with `prefix`, behind `after`. */
  async query(pk: string, limit: number, { prefix, after }: { prefix?: string; after?: string } = {}): Promise<Item[]> {
    const { Items = [] } = await this.#call(true, () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#name,
          KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :prefix)' : 'pk = :pk',
          ExpressionAttributeValues: { ':pk': text(pk), ...(prefix && { ':prefix': text(prefix) }) },
          ExclusiveStartKey: after === undefined ? undefined : keyOf({ pk, sk: after }),
          ConsistentRead: true,
          Limit: limit,
        }),
      ),
    );
    return Items;
  }

  /** The keys of all items at this place of their partitions, in no order. DynamoDB reads the whole table for it. */
  async *scan(sk: string): AsyncGenerator<Item> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#call(true, () =>
        this.#client.send(
          new ScanCommand({
            TableName: this.#name,
            FilterExpression: 'sk = :sk',
            ProjectionExpression: 'pk, sk',
            ExpressionAttributeValues: { ':sk': text(sk) },
            ConsistentRead: true,
            ExclusiveStartKey: from,
          }),
        ),
      );
      yield* Items;
      from = LastEvaluatedKey;
    } while (from);
  }

  /** Updates one item, and answers it as it is then. Not repeated when the outcome is unknown. */
  update(key: ItemKey, update: ItemUpdate): Promise<Outcome> {
    return this.#conditionally(false, async () => {
      const { Attributes } = await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#name,
          Key: keyOf(key),
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...update,
        }),
      );
      return Attributes ?? {};
    });
  }

  /** Puts an item where there is none. Repeated, so one that is refused may be there by this very call. */
  insert(item: Item): Promise<Outcome> {
    return this.#put(true, item, { ConditionExpression: 'attribute_not_exists(pk)' }, unavailable);
  }

  /** Puts an item on a condition. Not repeated when the outcome is unknown. */
  put(item: Item, condition: { ConditionExpression: string; ExpressionAttributeValues: Item }): Promise<Outcome> {
    return this.#put(false, item, condition);
  }

  /** Removes an item, on a condition or whether it is there or not. */
  async remove(
    key: ItemKey,
    condition?: { ConditionExpression: string; ExpressionAttributeValues: Item },
  ): Promise<void> {
    await this.#conditionally(true, async () => {
      await this.#client.send(new DeleteItemCommand({ TableName: this.#name, Key: keyOf(key), ...condition }));
      return {};
    });
  }

  /** Puts and removes items, each on its own; when it throws, some may be done. */
  async write(puts: Item[], removals: ItemKey[] = []): Promise<void> {
    const pending = [
      ...puts.map((Item) => ({ PutRequest: { Item } })),
      ...removals.map((key) => ({ DeleteRequest: { Key: keyOf(key) } })),
    ];
    while (pending.length > 0) {
      const some = pending.splice(0, itemsPerWrite);
      const { UnprocessedItems } = await this.#call(
        true,
        () => this.#client.send(new BatchWriteItemCommand({ RequestItems: { [this.#name]: some } })),
        unavailable,
      );
      pending.push(...((UnprocessedItems?.[this.#name] ?? []) as typeof pending));
    }
  }

  /**
   * Updates one item on a condition and puts another, both or neither. Repeated after any failure: DynamoDB knows the
   * repetition by its token.
   */
  updateAndPut(key: ItemKey, update: ItemUpdate, put: Item): Promise<Outcome> {
    const ClientRequestToken = randomUUID();
    const TransactItems: TransactWriteItem[] = [
      { Update: { TableName: this.#name, Key: keyOf(key), ...update } },
      { Put: { TableName: this.#name, Item: put } },
    ];
    return this.#conditionally(true, async () => {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
      return {};
    });
  }

  #put(
    repeatable: boolean,
    Item: Item,
    condition: { ConditionExpression: string; ExpressionAttributeValues?: Item },
    whenThrottled?: (cause: unknown) => Problem,
  ): Promise<Outcome> {
    const run = async () => {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#name,
          Item,
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...condition,
        }),
      );
      return {};
    };
    return this.#conditionally(repeatable, run, whenThrottled);
  }

  async #conditionally(
    repeatable: boolean,
    run: () => Promise<Item>,
    whenThrottled?: (cause: unknown) => Problem,
  ): Promise<Outcome> {
    const attempt = async () => {
      try {
        return { done: await run() };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { refused: error instanceof ConditionalCheckFailedException ? error.Item : undefined };
      }
    };
    return await this.#call(repeatable, attempt, whenThrottled);
  }

  async #call<Result>(
    repeatable: boolean,
    run: () => Promise<Result>,
    whenThrottled: (cause: unknown) => Problem = tooManyRequests,
  ): Promise<Result> {
    let harmless = true;
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        const notApplied = isNotApplied(error);
        if (!notApplied && isFault(error)) throw error;
        // Once a try may have been applied, no later one makes it undone.
        harmless &&= notApplied;
        if ((!notApplied && !repeatable) || attempt === tries)
          throw harmless ? whenThrottled(error) : unavailable(error);
        await sleep(backoffMs * attempt * (0.5 + Math.random()));
      }
    }
  }
}
