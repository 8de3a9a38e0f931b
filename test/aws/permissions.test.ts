import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LedgerAccess, ledgerActions } from '../../infra/constructs/ledger-table.ts';
import { type SearchAccess, searchRequests } from '../../infra/constructs/search-cluster.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { newToken } from '../../lib/model/token.ts';
import { NotSent } from '../../lib/queue/queue.ts';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { chatNamed, contents, indexed } from '../support/histories/writes.ts';
import { type LedgerTable, openLedgerTable } from '../support/servers/ledger-table.ts';
import { newAlias } from '../support/servers/opensearch-index.ts';

// Emulators grant everything, so the actions that a function calls are compared with those that it is granted: AWS must
// refuse none, and none must be granted without need.

describe('the DynamoDB actions of the ledger', () => {
  let opened: LedgerTable;
  let ledger: DynamodbLedger;
  let parked: ParkedWrites;
  /** While the queue is out, accepted writes are parked. */
  let queueIsOut = false;
  const asked = new Set<string>();
  let keys = 0;
  const key = () => ({ id: `key ${++keys}`, payload: 'payload' });

  beforeAll(async () => {
    opened = await openLedgerTable();
    opened.client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          for (const action of actionsOf(String(commandName), args.input)) asked.add(action);
          return next(args);
        },
      { step: 'initialize', name: 'record' },
    );
    parked = new ParkedWrites(opened.table, {
      send: async (bodies) => {
        if (queueIsOut) throw new NotSent(bodies, new Error('The queue is out'));
        await opened.queue.send(bodies);
      },
    });
    ledger = new DynamodbLedger(opened.table, parked);
  });
  afterAll(() => opened.remove());
  beforeEach(() => asked.clear());

  /** Does the same work with the queue out and available. */
  const both = async (work: () => Promise<unknown>) => {
    for (queueIsOut of [true, false]) await work();
  };
  const expectJust = (access: LedgerAccess) => expect([...asked].sort()).toEqual([...ledgerActions[access]].sort());
  const fresh = async () => {
    const { token } = await ledger.createApplication('one');
    const { number: chat } = await ledger.createChat(token, chatNamed('one'));
    const { first: message } = await ledger.createMessages({ token, chat }, contents(['one']));
    asked.clear();
    return { token, chat, message };
  };

  test('creating calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat } = await fresh();
    await both(async () => {
      await ledger.createApplication('two', { key: key() });
      await ledger.createChat(token, chatNamed(null), { key: key() });
      await ledger.createMessages({ token, chat }, contents(['two']), { key: key() });
      // A refused create releases its key.
      await expect(
        ledger.createMessages({ token: newToken(), chat: 1 }, contents(['two']), { key: key() }),
      ).rejects.toThrow();
    });
    expectJust('create');
  });

  test('editing calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await both(async () => {
      await ledger.editMessage({ token, chat, number: message }, { body: 'edited' });
      await ledger.editChat({ token, chat }, { name: 'edited' });
      await ledger.editApplication(token, 'edited');
    });
    expectJust('edit');
  });

  test('deleting calls exactly the DynamoDB actions that it is granted', async () => {
    const two = [await fresh(), await fresh()];
    await both(async () => {
      const { token, chat, message } = two.pop() as (typeof two)[number];
      await ledger.deleteMessage({ token, chat, number: message });
      await ledger.deleteChat({ token, chat });
      await ledger.deleteApplication(token);
    });
    expectJust('delete');
  });

  test('reading calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await ledger.application(token);
    await ledger.chat(token, chat);
    await ledger.hasMessage(token, chat, message);
    await ledger.counters([{ token }, { token, chat }]);
    expectJust('read');
  });

  test('purging calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await ledger.editMessage({ token, chat, number: message }, { body: 'edited' });
    await ledger.deleteApplication(token);
    asked.clear();
    for (let left = 1; left > 0; ) left = await ledger.purge({ token }, 100);
    expectJust('purge');
  });

  test('sweeping calls exactly the DynamoDB actions that it is granted', async () => {
    queueIsOut = true;
    await ledger.createApplication('parked');
    queueIsOut = false;
    asked.clear();
    expect(await parked.sweep()).toBeGreaterThan(0);
    expectJust('sweep');
  });
});

/** A transaction requires the permissions of its parts. */
function actionsOf(command: string, input: unknown): string[] {
  if (command !== 'TransactWriteItemsCommand') return [command.replace(/Command$/, '')];
  const { TransactItems = [] } = input as TransactWriteItemsCommandInput;
  return TransactItems.flatMap((item) => Object.keys(item).map((kind) => `${kind}Item`));
}

describe('the OpenSearch requests of the search index', () => {
  const { alias, client, remove } = newAlias();
  const index = new OpensearchIndex(client, alias);
  const asked = new Set<string>();
  const token = newToken();

  beforeAll(() => {
    client.on('request', (_error, { meta }) => {
      const { method, path } = meta.request.params;
      asked.add(`${method} ${path.slice(1).replace(/\?.*/, '').replaceAll(alias, 'messages')}`);
    });
  });
  afterAll(remove);
  beforeEach(() => asked.clear());

  const expectJust = (access: SearchAccess) => {
    const allowed = searchRequests[access].flatMap(({ methods, path }) =>
      methods.map((method) => `${method.toUpperCase()} ${path}`),
    );
    const matches = (pattern: string, request: string) => new RegExp(`^${pattern.replaceAll('?', '.')}$`).test(request);
    for (const request of asked)
      expect([request, allowed.some((each) => matches(each, request))]).toEqual([request, true]);
    const unasked = allowed.filter((each) => ![...asked].some((request) => matches(each, request)));
    // The name of an index has one digit for now.
    expect(unasked.filter((each) => !each.includes('??'))).toEqual([]);
  };

  test('migrating sends exactly the granted OpenSearch requests', async () => {
    await migrateOpensearch(client, alias);
    await client.indices.deleteAlias({ index: `${alias}-1`, name: `${alias}-writes` });
    asked.clear();
    // Sets the state that an older version left.
    await migrateOpensearch(client, alias);
    await client.indices.delete({ index: `${alias}-1` });
    asked.delete('DELETE messages-1');
    await migrateOpensearch(client, alias);
    expectJust('migrate');
  });

  test('indexing sends exactly the granted OpenSearch requests', async () => {
    await index.index([{ token, chat: 1, number: 1, ...indexed('one'), createdAt: 1, updatedAt: 1 }]);
    expectJust('index');
  });

  test('searching sends exactly the granted OpenSearch requests', async () => {
    await index.search({ token, q: 'one', limit: 1 });
    await index.search({ token, chat: 1, q: 'one', limit: 1 });
    expectJust('search');
  });

  test('purging sends exactly the granted OpenSearch requests', async () => {
    await index.purge({ token }, 1);
    expectJust('purge');
  });
});
