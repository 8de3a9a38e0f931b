import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LedgerAccess, ledgerActions, ledgerOperations } from '../../infra/constructs/ledger-table.ts';
import { type SearchAccess, searchRequests } from '../../infra/constructs/search-cluster.ts';
import { queueOperations } from '../../infra/constructs/work-queue.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { newToken } from '../../lib/model/token.ts';
import { NotSent } from '../../lib/queue/queue.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../lib/search/opensearch/migration.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { OpensearchReindexing } from '../../lib/search/opensearch/reindex.ts';
import { foldVersion } from '../../lib/search/text/fold-table.ts';
import { chatNamed, contents, indexed } from '../support/histories/writes.ts';
import { awsClientSettings } from '../support/servers/aws-services.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';
import { type LedgerTable, openLedgerTable } from '../support/servers/ledger-table.ts';
import { newAlias } from '../support/servers/opensearch-index.ts';
import { startOps } from '../support/servers/ops.ts';
import { openRecordingProxy, type RecordedRequest } from '../support/servers/recording-proxy.ts';
import { RestorableSystem } from './restorable-system.ts';

// Emulators grant everything, so the actions that a function calls are compared with those that it is granted: AWS must
// refuse none, and none must be granted without need. The same holds for script/ops and the policy of operators.

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
  const expectExact = (access: LedgerAccess) => expect([...asked].sort()).toEqual([...ledgerActions[access]].sort());
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
    expectExact('create');
  });

  test('editing calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await both(async () => {
      await ledger.editMessage({ token, chat, number: message }, { body: 'edited' });
      await ledger.editChat({ token, chat }, { name: 'edited' });
      await ledger.editApplication(token, 'edited');
    });
    expectExact('edit');
  });

  test('deleting calls exactly the DynamoDB actions that it is granted', async () => {
    const two = [await fresh(), await fresh()];
    await both(async () => {
      const { token, chat, message } = two.pop() as (typeof two)[number];
      await ledger.deleteMessage({ token, chat, number: message });
      await ledger.deleteChat({ token, chat });
      await ledger.deleteApplication(token);
    });
    expectExact('delete');
  });

  test('reading calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await ledger.application(token);
    await ledger.chat(token, chat);
    await ledger.hasMessage(token, chat, message);
    await ledger.counters([{ token }, { token, chat }]);
    expectExact('read');
  });

  test('purging calls exactly the DynamoDB actions that it is granted', async () => {
    const { token, chat, message } = await fresh();
    await ledger.editMessage({ token, chat, number: message }, { body: 'edited' });
    await ledger.deleteApplication(token);
    asked.clear();
    for (let left = 1; left > 0; ) left = await ledger.purge({ token }, 100);
    expectExact('purge');
  });

  test('sweeping calls exactly the DynamoDB actions that it is granted', async () => {
    queueIsOut = true;
    await ledger.createApplication('parked');
    queueIsOut = false;
    asked.clear();
    expect(await parked.sweep()).toBeGreaterThan(0);
    expectExact('sweep');
  });
});

/** Expects that the requests are exactly those that the access allows. */
function expectExactRequests(asked: Set<string>, access: SearchAccess): void {
  const allowed = searchRequests[access].flatMap(({ methods, path }) =>
    methods.map((method) => `${method.toUpperCase()} ${path}`),
  );
  const matches = (pattern: string, request: string) =>
    new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(request);
  for (const request of asked)
    expect([request, allowed.some((each) => matches(each, request))]).toEqual([request, true]);
  const unasked = allowed.filter((each) => ![...asked].some((request) => matches(each, request)));
  // The policy also allows indexes whose number has two or three digits. This test has none.
  expect(unasked.filter((each) => !each.includes('??'))).toEqual([]);
}

/** Returns the actions that a command requires. A transaction requires those of its parts. */
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

  const expectExact = (access: SearchAccess) => expectExactRequests(asked, access);

  test('migrating sends exactly the granted OpenSearch requests', async () => {
    // An index as an older version left it: without the aliases of workers, and without fields that were added later.
    await client.indices.create({
      index: `${alias}-1`,
      body: { aliases: { [alias]: {} }, mappings: { _meta: { fold_version: foldVersion } } },
    });
    asked.clear();
    await migrateOpensearch(client, alias);
    await client.indices.delete({ index: `${alias}-1` });
    asked.delete('DELETE messages-1');
    await migrateOpensearch(client, alias);
    expectExact('migrate');
  });

  test('indexing sends exactly the granted OpenSearch requests', async () => {
    await index.index([{ token, chat: 1, number: 1, ...indexed('one'), createdAt: 1, updatedAt: 1 }]);
    expectExact('index');
  });

  test('searching sends exactly the granted OpenSearch requests', async () => {
    await index.search({ token, q: 'one', limit: 1 });
    await index.search({ token, chat: 1, q: 'one', limit: 1 });
    expectExact('search');
  });

  test('purging sends exactly the granted OpenSearch requests', async () => {
    await index.purge({ token }, 1);
    expectExact('purge');
  });
});

describe('the calls of script/ops', () => {
  let system: RestorableSystem;
  const recorded: RecordedRequest[] = [];
  let proxies: Awaited<ReturnType<typeof openRecordingProxy>>[];
  /** Runs a command with the engine's servers behind the proxies. */
  const ops = async (...args: string[]) => {
    const [aws, search] = proxies.map(({ url }) => url) as [string, string];
    const env = { ...system.environment, AWS_ENDPOINT_URL: aws, OPENSEARCH_URL: search };
    return await startOps(['--aws', ...args], { env }).ended;
  };

  beforeAll(async () => {
    system = await RestorableSystem.open();
    const { AWS_ENDPOINT_URL = '', OPENSEARCH_URL = '' } = system.environment;
    proxies = await Promise.all([AWS_ENDPOINT_URL, OPENSEARCH_URL].map((url) => openRecordingProxy(url, recorded)));
  });
  afterAll(async () => {
    await Promise.all(proxies.map(({ close }) => close()));
    await system.close();
  });

  /** The AWS calls as IAM actions, each with the part of the system that it names. */
  const awsActions = () =>
    new Set(
      recorded.flatMap(({ target, body }) => {
        const [, service, action] = /^(\w+?)(?:_\d+)?\.(\w+?)(?:Batch)?$/.exec(target ?? '') ?? [];
        if (!service || !action) return [];
        if (service !== 'AmazonSQS') return [`${service.toLowerCase()}:${action}`];
        const { QueueUrl } = JSON.parse(body) as { QueueUrl: string };
        const [variable = ''] = Object.entries(system.environment).find(([, value]) => value === QueueUrl) ?? [];
        return [`sqs:${action} ${variable.includes('DEAD_LETTER') ? 'dead letters' : 'queue'}`];
      }),
    );
  const openSearchRequests = (alias: string) =>
    new Set(
      recorded
        .filter(({ target }) => target === undefined)
        .map(({ method, url }) =>
          `${method} ${decodeURIComponent(url.slice(1).replace(/\?.*/, ''))}`.replaceAll(alias, 'messages'),
        ),
    );

  test('script/ops makes exactly the calls that the policy of operators allows', async () => {
    const { token } = await system.ledger.createApplication('an application');
    await system.ledger.createChat(token, chatNamed('a chat'));
    await system.ledger.createMessages({ token, chat: 1 }, contents(['one', 'two']));
    await system.work();
    const [table, database] = [await system.copyOfTable(), await system.copyOfDatabase()];
    await system.ledger.createMessages({ token, chat: 1 }, contents(['three']));
    await system.ledger.editMessage({ token, chat: 1, number: 1 }, { body: 'one, edited' });
    await system.ledger.deleteMessage({ token, chat: 1, number: 2 });
    await system.ledger.editApplication(token, 'renamed');
    await system.ledger.createChat(token, chatNamed('a second chat'));
    await system.work();

    const current = system.environment.MYSQL_URL as string;
    await system.use({ MYSQL_URL: database });
    await ops('reconcile', '--repair');
    await system.use({ MYSQL_URL: current });
    await system.use({ LEDGER_TABLE: table });
    await ops('reconcile', '--repair');
    await system.loseIndex(token);
    await ops('reconcile', '--repair');

    const { stdout } = await ops('export', token);
    const file = path.join(dataFolder(), 'app.ndjson');
    writeFileSync(file, stdout);
    expect(await ops('import', file)).toMatchObject({ status: 0 });

    const deadLetter = new SendMessageCommand({
      QueueUrl: system.environment.STORE_DEAD_LETTER_QUEUE_URL,
      MessageBody: 'unreadable',
    });
    await new SQSClient(awsClientSettings).send(deadLetter);
    expect(await ops('dead-letters', 'list')).toMatchObject({ stdout: expect.stringContaining('unreadable') });
    expect(await ops('dead-letters', 'redrive')).toMatchObject({
      stdout: expect.stringContaining('1 dead letter sent'),
    });
    expect(await ops('reindex', '--dry-run')).toMatchObject({ status: 0 });

    // The command waits 70 s for the workers of the deployed system, so this runs its steps on an index of its own.
    const { alias, client, remove } = newAlias();
    const search = openOpensearch(proxies[1]?.url as string);
    try {
      await migrateOpensearch(client, alias);
      const run = () => new OpensearchReindexing(search, system.store, { alias, waitMs: 0, pagesPerNote: 1 }).run();
      for await (const _ of run());
      expectExactRequests(openSearchRequests(alias), 'operate');
    } finally {
      await search.close();
      await remove();
    }

    expect([...awsActions()].sort()).toEqual(
      [
        ...ledgerOperations.map((action) => `dynamodb:${action}`),
        ...queueOperations.queue.map((action) => `sqs:${action} queue`),
        ...queueOperations.deadLetters.map((action) => `sqs:${action} dead letters`),
        'secretsmanager:GetSecretValue',
      ].sort(),
    );
  });
});
