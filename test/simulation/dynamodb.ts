import {
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
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Item, keyOf, numberIn, textIn } from '../../lib/ledger/dynamodb/table.ts';
import { random } from './chance.ts';
import { type Bindings, holds, updated, ValidationException } from './dynamodb-expressions.ts';
import {
  newReadUnits,
  newWriteUnits,
  readUnitsOf,
  requireExpressionInLimits,
  requireItemInLimits,
  writeUnitsOf,
} from './dynamodb-limits.ts';
import type { CallOutcome } from './faults.ts';
import type { Caller } from './process.ts';

/** Numbers that a process took from a counter. */
export interface Taken {
  /** The partition of the application or chat whose counter it is. */
  parent: string;
  first: number;
  last: number;
  /** The task that took them. */
  task: string;
}

const throttled = () =>
  new DynamoDBServiceException({
    name: 'ProvisionedThroughputExceededException',
    $fault: 'client',
    $metadata: {},
  });
const noAnswer = () => Object.assign(new Error('no answer'), { name: 'TimeoutError' });
const failure = (kind: CallOutcome['kind']): Error => (kind === 'throttled' ? throttled() : noAnswer());

const nameOf = (key: Item): string => `${textIn(key, 'pk')}\n${textIn(key, 'sk')}`;

/** Returns whether the command changes the item of an application or chat, which has the counters. */
const changesCounter = (command: unknown): boolean =>
  command instanceof UpdateItemCommand && /^(application|chat)$/.test(command.input.Key?.sk?.S ?? '');

interface Change extends Bindings {
  Key?: Item | undefined;
  Item?: Item | undefined;
  UpdateExpression?: string | undefined;
  ConditionExpression?: string | undefined;
}

/** A change of one item whose condition holds. `after` is undefined if the item is removed. */
interface Planned {
  name: string;
  before: Item | undefined;
  after: Item | undefined;
}

/**
 * A DynamoDB table in memory, with the commands, expressions and limits that the ledger uses. It does not limit queries
 * and scans.
 */
export class SimulatedTable {
  readonly #items = new Map<string, Item>();
  /** Successful transactions by their client request token, which makes retries idempotent. */
  readonly #transactions = new Set<string>();
  readonly writeUnits = newWriteUnits();
  readonly readUnits = newReadUnits();
  readonly #now: () => number;
  readonly taken: Taken[] = [];
  /** Why calls were rejected as invalid. Each is a bug of the caller. */
  readonly invalid: string[] = [];

  /** @param now milliseconds, for the units per second */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Returns the client with which a process calls the table. */
  client(process: Caller): DynamoDBClient {
    const send = (command: unknown) =>
      process.call('dynamodb', () => this.#answer(command, process.task), failure, changesCounter(command));
    return { send } as unknown as DynamoDBClient;
  }

  /** Returns the items of all partitions with this prefix. */
  itemsIn(prefix: string): Item[] {
    return [...this.#items.values()].filter((item) => textIn(item, 'pk').startsWith(prefix));
  }

  /** Inserts or replaces an item. */
  put(item: Item): void {
    this.#items.set(nameOf(item), item);
  }

  #answer(command: unknown, task: string): unknown {
    try {
      return this.#do(command, task);
    } catch (error) {
      if (error instanceof ValidationException) this.invalid.push(error.message);
      throw error;
    }
  }

  #do(command: unknown, task: string): unknown {
    if (command instanceof UpdateItemCommand) return { Attributes: this.#change(command.input, task) };
    if (command instanceof PutItemCommand || command instanceof DeleteItemCommand) {
      this.#change(command.input, task);
      return {};
    }
    if (command instanceof BatchGetItemCommand) {
      const [[table, { Keys = [], ConsistentRead = false }] = ['', {}]] = Object.entries(
        command.input.RequestItems ?? {},
      );
      // DynamoDB returns the keys of throttled items, unless all are throttled.
      const isRead = (key: Item) => {
        const name = nameOf(key);
        const units = readUnitsOf(this.#items.get(name), ConsistentRead);
        return this.readUnits.use([{ name, units }], this.#now());
      };
      const { read = [], left = [] } = Object.groupBy(Keys, (key) => (isRead(key) ? 'read' : 'left'));
      if (read.length === 0) throw throttled();
      const items = read.map((key) => this.#items.get(nameOf(key)));
      return {
        Responses: { [table]: items.filter((item) => item !== undefined) },
        UnprocessedKeys: left.length > 0 ? { [table]: { Keys: left } } : {},
      };
    }
    if (command instanceof BatchWriteItemCommand) {
      const [[table, requests] = ['', []]] = Object.entries(command.input.RequestItems ?? {});
      // DynamoDB may leave part of a batch unprocessed, but never all of it.
      const left = random.chance(0.1) ? requests.splice(1) : [];
      for (const request of requests) {
        const after = request.PutRequest?.Item;
        if (after) requireItemInLimits(after);
        const name = nameOf((after ?? request.DeleteRequest?.Key) as Item);
        const before = this.#items.get(name);
        if (this.writeUnits.use([{ name, units: writeUnitsOf(before, after) }], this.#now()))
          this.#apply([{ name, before, after }], task);
        else if (request === requests[0]) throw throttled();
        else left.push(request);
      }
      return { UnprocessedItems: left.length > 0 ? { [table]: left } : {} };
    }
    if (command instanceof QueryCommand) {
      const { ExpressionAttributeValues: values = {}, Limit } = command.input;
      const [pk, prefix = '', after = ''] = [
        textIn(values, ':pk'),
        values[':prefix']?.S,
        command.input.ExclusiveStartKey?.sk?.S,
      ];
      const items = this.itemsIn(pk).filter(
        ({ pk: { S: its } = {}, sk: { S: place = '' } = {} }) =>
          its === pk && place.startsWith(prefix) && place > after,
      );
      return { Items: items.sort((a, b) => (textIn(a, 'sk') < textIn(b, 'sk') ? -1 : 1)).slice(0, Limit) };
    }
    if (command instanceof ScanCommand)
      return { Items: this.itemsIn('').filter((item) => holds(command.input.FilterExpression, command.input, item)) };
    if (command instanceof TransactWriteItemsCommand) {
      this.#transact(command, task);
      return {};
    }
    throw new ValidationException(`no such command: ${(command as object).constructor.name}`);
  }

  #transact({ input: { TransactItems = [], ClientRequestToken = '' } }: TransactWriteItemsCommand, task: string): void {
    if (this.#transactions.has(ClientRequestToken)) return;
    const changes = TransactItems.map(({ Update, Put, Delete }) => (Update ?? Put ?? Delete) as Change);
    const planned = changes.map((change) => this.#plan(change));
    // Each part of a transaction costs twice: DynamoDB prepares it and then commits it.
    if (!this.#pay(planned, 2)) throw throttled();
    const refused = changes.map((change, i) => !holds(change.ConditionExpression, change, planned[i]?.before));
    if (refused.includes(true))
      throw new TransactionCanceledException({
        message: '',
        $metadata: {},
        CancellationReasons: refused.map((each) => ({ Code: each ? 'ConditionalCheckFailed' : 'None' })),
      });
    this.#apply(planned, task);
    this.#transactions.add(ClientRequestToken);
  }

  /** Changes one item if its condition holds, and returns the new item. */
  #change(change: Change, task: string): Item {
    const planned = this.#plan(change);
    // A refused write costs as much as one that leaves the item as it is.
    if (!this.#pay([planned], 1)) throw throttled();
    const { before } = planned;
    if (!holds(change.ConditionExpression, change, before))
      throw new ConditionalCheckFailedException({ message: '', $metadata: {}, ...(before && { Item: before }) });
    this.#apply([planned], task);
    return planned.after ?? {};
  }

  /** Returns what the change does to its item. If its condition does not hold, that is nothing. */
  #plan(change: Change): Planned {
    requireExpressionInLimits(change.UpdateExpression);
    requireExpressionInLimits(change.ConditionExpression);
    const key = (change.Key ?? change.Item) as Item;
    const name = nameOf(key);
    const before = this.#items.get(name);
    if (!holds(change.ConditionExpression, change, before)) return { name, before, after: before };
    if (change.Item) requireItemInLimits(change.Item);
    if (change.Item || !change.UpdateExpression) return { name, before, after: change.Item };
    const place = { pk: textIn(key, 'pk'), sk: textIn(key, 'sk') };
    const after = updated(change.UpdateExpression, change, before ?? keyOf(place));
    requireItemInLimits(after);
    return { name, before, after };
  }

  /** Uses the units of the writes, or returns false when an item is throttled. */
  #pay(planned: Planned[], price: number): boolean {
    const wanted = planned.map(({ name, before, after }) => ({ name, units: price * writeUnitsOf(before, after) }));
    return this.writeUnits.use(wanted, this.#now());
  }

  #apply(planned: Planned[], task: string): void {
    for (const { name, before, after } of planned) {
      if (!after) {
        this.#items.delete(name);
        continue;
      }
      this.#items.set(name, after);
      for (const counter of ['chats', 'messages'])
        if (before?.[counter] && after[counter] && numberIn(before, counter) !== numberIn(after, counter))
          this.taken.push({
            parent: textIn(after, 'pk'),
            first: numberIn(before, counter) + 1,
            last: numberIn(after, counter),
            task,
          });
    }
  }
}
