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
import type { Caller } from './process.ts';
import type { Fate } from './weather.ts';

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
const failure = (kind: Fate['kind']): Error => (kind === 'throttled' ? throttled() : noAnswer());

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

/** A DynamoDB table in memory, with the commands and expressions that the ledger uses. */
export class SimulatedTable {
  readonly #items = new Map<string, Item>();
  /** Successful transactions by their client request token, which makes retries idempotent. */
  readonly #transactions = new Set<string>();
  readonly taken: Taken[] = [];

  /** Returns the client with which a process calls the table. */
  client(process: Caller): DynamoDBClient {
    const send = (command: unknown) =>
      process.call('dynamodb', () => this.#do(command, process.task), failure, changesCounter(command));
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

  #do(command: unknown, task: string): unknown {
    if (command instanceof UpdateItemCommand) return { Attributes: this.#change(command.input, task) };
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
      // DynamoDB may leave part of a batch unprocessed, but never all of it.
      const left = random.chance(0.1) ? requests.splice(1) : [];
      for (const { PutRequest, DeleteRequest } of requests) {
        if (PutRequest?.Item) this.put(PutRequest.Item);
        if (DeleteRequest?.Key) this.#items.delete(nameOf(DeleteRequest.Key));
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
    for (const change of changes) this.#change(change, task);
    this.#transactions.add(ClientRequestToken);
  }

  #at({ Key, Item }: Change): Item | undefined {
    return this.#items.get(nameOf((Key ?? Item) as Item));
  }

  /** Changes one item if its condition holds, and returns the new item. */
  #change(change: Change, task: string): Item {
    const before = this.#at(change);
    if (!holds(change.ConditionExpression, change, before))
      throw new ConditionalCheckFailedException({ message: '', $metadata: {}, ...(before && { Item: before }) });
    const key = (change.Key ?? change.Item) as Item;
    if (!change.Item && !change.UpdateExpression) {
      this.#items.delete(nameOf(key));
      return {};
    }
    const place = { pk: textIn(key, 'pk'), sk: textIn(key, 'sk') };
    const item = change.Item ?? updated(change.UpdateExpression ?? '', change, before ?? keyOf(place));
    this.#items.set(nameOf(key), item);
    for (const counter of ['chats', 'messages'])
      if (before?.[counter] && numberIn(before, counter) !== numberIn(item, counter))
        this.taken.push({
          parent: textIn(item, 'pk'),
          first: numberIn(before, counter) + 1,
          last: numberIn(item, counter),
          task,
        });
    return item;
  }
}
