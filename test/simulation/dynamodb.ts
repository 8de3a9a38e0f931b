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
import { type Item, keyOf, numberIn, textIn } from '../../lib/ledger/dynamodb-table.ts';
import { random } from './chance.ts';
import { type Bindings, holds, updated, ValidationException } from './dynamodb-expressions.ts';
import { requireExpressionInLimits, requireItemInLimits, unitsOf, WriteUnits } from './dynamodb-limits.ts';
import type { Caller } from './process.ts';
import type { Fate } from './weather.ts';

/** Numbers that a process took from a counter. */
export interface Taken {
  /** The partition of the application or chat that they were taken in. */
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
const failure = (kind: Fate['kind']): Error => (kind === 'throttled' ? throttled() : noAnswer());

const nameOf = (key: Item): string => `${textIn(key, 'pk')}\n${textIn(key, 'sk')}`;

/** Whether the command changes an application's or a chat's item, where the counters are. */
const changesCounter = (command: unknown): boolean =>
  command instanceof UpdateItemCommand && /^(application|chat)$/.test(command.input.Key?.sk?.S ?? '');

interface Change extends Bindings {
  Key?: Item | undefined;
  Item?: Item | undefined;
  UpdateExpression?: string | undefined;
  ConditionExpression?: string | undefined;
}

/** A DynamoDB table in memory, for the commands and expressions that the ledger uses. */
export class SimulatedTable {
  readonly #items = new Map<string, Item>();
  /** Transactions that took effect, which a repetition with their token finds. */
  readonly #transactions = new Set<string>();
  readonly #units = new WriteUnits();
  readonly taken: Taken[] = [];
  /** Why calls were rejected as invalid, which is a bug of the caller. */
  readonly invalid: string[] = [];

  /** The client that a process calls the table with. */
  client(process: Caller): DynamoDBClient {
    const send = (command: unknown) =>
      process.call('dynamodb', () => this.#answer(command, process.task), failure, changesCounter(command));
    return { send } as unknown as DynamoDBClient;
  }

  /** The items of all partitions that begin so. */
  itemsIn(prefix: string): Item[] {
    return [...this.#items.values()].filter((item) => textIn(item, 'pk').startsWith(prefix));
  }

  /** The write units that the dearest item of a partition costs. */
  unitsOf(pk: string): number {
    return Math.max(
      ...this.itemsIn(pk)
        .filter((item) => textIn(item, 'pk') === pk)
        .map((item) => unitsOf(item, item)),
    );
  }

  /** Puts an item, or replaces it. */
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
    if (command instanceof UpdateItemCommand) {
      const { before, after } = this.#change(command.input, task);
      return { Attributes: command.input.ReturnValues === 'ALL_OLD' ? (before ?? {}) : after };
    }
    if (command instanceof PutItemCommand || command instanceof DeleteItemCommand) {
      this.#change(command.input, task);
      return {};
    }
    if (command instanceof BatchGetItemCommand) {
      const [[table, { Keys = [] }] = ['', {}]] = Object.entries(command.input.RequestItems ?? {});
      const items = Keys.map((key) => this.#items.get(nameOf(key)));
      return { Responses: { [table]: items.filter((item) => item !== undefined) } };
    }
    if (command instanceof BatchWriteItemCommand) {
      const [[table, requests] = ['', []]] = Object.entries(command.input.RequestItems ?? {});
      // DynamoDB may leave a part of a batch undone, but never all of it.
      const left = random.chance(0.1) ? requests.splice(1) : [];
      for (const request of requests) {
        const { PutRequest, DeleteRequest } = request;
        const name = nameOf((PutRequest?.Item ?? DeleteRequest?.Key) as Item);
        if (!this.#units.spend(name, unitsOf(this.#items.get(name), PutRequest?.Item))) {
          if (request === requests[0]) throw throttled();
          left.push(request);
        } else if (PutRequest?.Item) {
          requireItemInLimits(PutRequest.Item);
          this.put(PutRequest.Item);
        } else this.#items.delete(name);
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
    const refused = changes.map((change) => !holds(change.ConditionExpression, change, this.#at(change)));
    if (refused.includes(true))
      throw new TransactionCanceledException({
        message: '',
        $metadata: {},
        CancellationReasons: refused.map((each) => ({ Code: each ? 'ConditionalCheckFailed' : 'None' })),
      });
    // Each part of a transaction costs twice: it is prepared and then committed.
    for (const change of changes) this.#change(change, task, 2);
    this.#transactions.add(ClientRequestToken);
  }

  #at({ Key, Item }: Change): Item | undefined {
    return this.#items.get(nameOf((Key ?? Item) as Item));
  }

  /**
   * Changes one item on its condition. Returns the item before and after.
   *
   * @param price write units for each kibibyte
   */
  #change(change: Change, task: string, price = 1): { before: Item | undefined; after: Item } {
    requireExpressionInLimits(change.UpdateExpression);
    requireExpressionInLimits(change.ConditionExpression);
    const before = this.#at(change);
    const key = (change.Key ?? change.Item) as Item;
    const isDone = holds(change.ConditionExpression, change, before);
    const after = isDone ? this.#changed(change, key, before) : before;
    // A refused write costs as much as one of the item that refused it.
    if (!this.#units.spend(nameOf(key), price * unitsOf(before, after))) throw throttled();
    if (!isDone)
      throw new ConditionalCheckFailedException({ message: '', $metadata: {}, ...(before && { Item: before }) });
    if (!after) {
      this.#items.delete(nameOf(key));
      return { before, after: {} };
    }
    requireItemInLimits(after);
    this.#items.set(nameOf(key), after);
    for (const counter of ['chats', 'messages'])
      if (before?.[counter] && numberIn(before, counter) !== numberIn(after, counter))
        this.taken.push({
          parent: textIn(after, 'pk'),
          first: numberIn(before, counter) + 1,
          last: numberIn(after, counter),
          task,
        });
    return { before, after };
  }

  /** The item as the change leaves it; undefined when it removes it. */
  #changed(change: Change, key: Item, before: Item | undefined): Item | undefined {
    if (change.Item) return change.Item;
    if (!change.UpdateExpression) return undefined;
    const place = { pk: textIn(key, 'pk'), sk: textIn(key, 'sk') };
    return updated(change.UpdateExpression, change, before ?? keyOf(place));
  }
}
