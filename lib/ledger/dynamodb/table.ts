import { randomUUID } from 'node:crypto';
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
import { DependencyFailure, Throttled, Unavailable } from '../../model/errors.ts';

export type Item = Record<string, AttributeValue>;

/** The key of an item: its partition key and its sort key. */
export interface ItemKey {
  pk: string;
  sk: string;
}

/** An update of one item, and its condition. */
export interface ItemUpdate {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

/**
 * The outcome of a conditional write: done, with the attributes if the call returns them, or refused, with the item
 * that failed the condition if DynamoDB returns it.
 */
export type Outcome = { done: Item } | { refused: Item | undefined };

/** When and how often a call is retried, and which error it throws if it fails. */
interface CallOptions {
  /** Whether the call may be retried when its outcome is unknown. */
  repeatable: boolean;
  /**
   * Whether earlier calls of the same request have applied something. Then the call throws `Unavailable` instead of
   * `Throttled`, which would mean that nothing was applied.
   */
  followsWrite?: boolean;
  /** Maximum number of attempts. Default: {@link tries}. */
  tries?: number;
}
const afterWrite: CallOptions = { repeatable: true, followsWrite: true };

/**
 * Limits of DynamoDB's batch calls
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html).
 */
const keysPerRead = 100;
const itemsPerWrite = 25;

/** Maximum number of attempts of a call. */
const tries = 3;

/**
 * Waits before a repetition: 50 ms before the first, 50 ms more before each further one, at most 500 ms, all plus or
 * minus half. Without a wait, a partition that is throttled would stay throttled.
 */
const backOff = (repetition: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.min(50 * repetition, 500) * (0.5 + Math.random()));
  });

/** Errors that guarantee that nothing was applied. A retry may succeed. */
const notApplied = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);
/** The same errors as the cancellation reasons of a transaction. */
const notAppliedReasons = new Set(['ProvisionedThroughputExceeded', 'ThrottlingError', 'TransactionConflict']);

const isNotApplied = (error: unknown): boolean =>
  (error instanceof DynamoDBServiceException && notApplied.has(error.name)) ||
  (error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => notAppliedReasons.has(Code ?? '')));

const isRefusal = (error: unknown): boolean =>
  error instanceof ConditionalCheckFailedException ||
  (error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).some(({ Code }) => Code === 'ConditionalCheckFailed'));

/** Returns whether DynamoDB rejected the request as invalid. That is a bug on our side, so retrying cannot help. */
const isFault = (error: unknown): boolean => error instanceof DynamoDBServiceException && error.$fault === 'client';

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const keyOf = ({ pk, sk }: ItemKey): Item => ({ pk: text(pk), sk: text(sk) });
export const textIn = (item: Item, name: string): string => item[name]?.S as string;
export const numberIn = (item: Item, name: string): number => Number(item[name]?.N);

/**
 * A DynamoDB table with the keys `pk` and `sk`. It alone decides which calls are retried. Repeatable calls are retried
 * after any failure. An update that increments a counter is retried only when nothing was applied, because after a
 * timeout it may have been applied.
 *
 * All calls throw `Unavailable` when DynamoDB is unavailable or the outcome is unknown, and `Throttled` when DynamoDB
 * throttles and nothing was applied. `insert` and `write` never throw `Throttled`, because an earlier call of the same
 * request may have taken a number.
 */
export class DynamodbTable {
  readonly #client: DynamoDBClient;
  readonly #name: string;

  constructor(client: DynamoDBClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** Returns the items with a consistent read, in the order of the keys; undefined for a key without an item. */
  get(keys: ItemKey[]): Promise<(Item | undefined)[]> {
    return this.#get({ repeatable: true }, keys, true);
  }

  /**
   * Returns the items like `get`, at half its price, but they may be some milliseconds old. It makes one attempt. Use it
   * for work that may be left undone.
   *
   * @returns undefined if the attempt fails
   */
  async tryGet(keys: ItemKey[]): Promise<(Item | undefined)[] | undefined> {
    try {
      return await this.#get({ repeatable: true, tries: 1 }, keys, false);
    } catch (error) {
      if (error instanceof DependencyFailure) return undefined;
      throw error;
    }
  }

  /**
   * Returns up to `limit` items of a partition in the order of their sort keys: those that begin with `prefix`, after
   * `after`.
   */
  async query(pk: string, limit: number, { prefix, after }: { prefix?: string; after?: string } = {}): Promise<Item[]> {
    const { Items = [] } = await this.#call({ repeatable: true }, () =>
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

  /**
   * Yields the keys of all items with this sort key, in no particular order. DynamoDB reads the whole table for this.
   */
  async *scan(sk: string): AsyncGenerator<Item> {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#call({ repeatable: true }, () =>
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

  /**
   * Updates one item and returns all its attributes afterwards. Not retried when the outcome is unknown.
   *
   * @param maxTries the most attempts while DynamoDB throttles
   */
  update(key: ItemKey, update: ItemUpdate, maxTries: number = tries): Promise<Outcome> {
    return this.#conditionally({ repeatable: false, tries: maxTries }, async () => {
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

  /** Puts an item if there is none. A retry may be refused because an earlier attempt of the same call put the item. */
  insert(item: Item): Promise<Outcome> {
    return this.#put(afterWrite, item, { ConditionExpression: 'attribute_not_exists(pk)' });
  }

  /** Puts an item on a condition. Not retried when the outcome is unknown. */
  put(item: Item, condition: { ConditionExpression: string; ExpressionAttributeValues: Item }): Promise<Outcome> {
    return this.#put({ repeatable: false }, item, condition);
  }

  /** Removes an item. Does nothing when the item does not exist or does not meet the condition. */
  async remove(
    key: ItemKey,
    condition?: { ConditionExpression: string; ExpressionAttributeValues: Item },
  ): Promise<void> {
    await this.#conditionally({ repeatable: true }, async () => {
      await this.#client.send(new DeleteItemCommand({ TableName: this.#name, Key: keyOf(key), ...condition }));
      return {};
    });
  }

  /** Puts and removes items, each independently. When it throws, some of them may be done. */
  async write(puts: Item[], removals: ItemKey[] = []): Promise<void> {
    const remaining = [
      ...puts.map((Item) => ({ PutRequest: { Item } })),
      ...removals.map((key) => ({ DeleteRequest: { Key: keyOf(key) } })),
    ];
    for (let incomplete = 0; remaining.length > 0; ) {
      const some = remaining.splice(0, itemsPerWrite);
      const { UnprocessedItems } = await this.#call(afterWrite, () =>
        this.#client.send(new BatchWriteItemCommand({ RequestItems: { [this.#name]: some } })),
      );
      const unprocessed = (UnprocessedItems?.[this.#name] ?? []) as typeof remaining;
      if (unprocessed.length === 0) continue;
      remaining.push(...unprocessed);
      await backOff(++incomplete);
    }
  }

  /**
   * Updates one item on a condition and puts another, both or neither. Retried after any failure: DynamoDB recognizes
   * the retry by its token.
   */
  updateAndPut(key: ItemKey, update: ItemUpdate, put: Item): Promise<Outcome> {
    const ClientRequestToken = randomUUID();
    const TransactItems: TransactWriteItem[] = [
      { Update: { TableName: this.#name, Key: keyOf(key), ...update } },
      { Put: { TableName: this.#name, Item: put } },
    ];
    return this.#conditionally({ repeatable: true }, async () => {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
      return {};
    });
  }

  async #get(options: CallOptions, keys: ItemKey[], ConsistentRead: boolean): Promise<(Item | undefined)[]> {
    const idOf = ({ pk, sk }: ItemKey) => `${pk}\n${sk}`;
    const wanted = new Map(keys.map((key) => [idOf(key), key]));
    const found = new Map<string, Item>();
    const remaining = [...wanted.values()];
    for (let incomplete = 0; remaining.length > 0; ) {
      const Keys = remaining.splice(0, keysPerRead).map(keyOf);
      const { Responses, UnprocessedKeys } = await this.#call(options, () =>
        this.#client.send(new BatchGetItemCommand({ RequestItems: { [this.#name]: { Keys, ConsistentRead } } })),
      );
      for (const item of Responses?.[this.#name] ?? [])
        found.set(idOf({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') }), item);
      const unprocessed = UnprocessedKeys?.[this.#name]?.Keys ?? [];
      if (unprocessed.length === 0) continue;
      if (options.tries === 1) throw new Throttled(new Error('DynamoDB returned only some of the items'));
      remaining.push(...unprocessed.map((key) => ({ pk: textIn(key, 'pk'), sk: textIn(key, 'sk') })));
      await backOff(++incomplete);
    }
    return keys.map((key) => found.get(idOf(key)));
  }

  #put(
    options: CallOptions,
    Item: Item,
    condition: { ConditionExpression: string; ExpressionAttributeValues?: Item },
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
    return this.#conditionally(options, run);
  }

  async #conditionally(options: CallOptions, run: () => Promise<Item>): Promise<Outcome> {
    const attempt = async () => {
      try {
        return { done: await run() };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { refused: error instanceof ConditionalCheckFailedException ? error.Item : undefined };
      }
    };
    return await this.#call(options, attempt);
  }

  async #call<Result>(
    { repeatable, followsWrite = false, tries: most = tries }: CallOptions,
    run: () => Promise<Result>,
  ): Promise<Result> {
    let appliedNothing = !followsWrite;
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        const notApplied = isNotApplied(error);
        if (!notApplied && isFault(error)) throw error;
        // Once an attempt may have been applied, no later failure can rule that out.
        appliedNothing &&= notApplied;
        if ((!notApplied && !repeatable) || attempt === most)
          throw appliedNothing ? new Throttled(error) : new Unavailable(error);
        await backOff(attempt);
      }
    }
  }
}
