import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { loggableError } from '../../functions/runtime/observe/loggable-error.ts';
import { limits } from '../../lib/limits.ts';
import { encodeWrites } from '../../lib/queue/records.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { messagesAlias } from '../../lib/search/opensearch/names.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { useEveryRoute } from '../support/client/every-route.ts';
import { messageWrite } from '../support/histories/writes.ts';
import { awsClientSettings } from '../support/servers/aws-services.ts';
import { project, scriptStack } from '../support/servers/checkout.ts';
import { deployment, settled } from '../support/servers/deployment.ts';
import { queueUrl } from '../support/servers/queue-url.ts';
import { Planted } from '../support/texts/planted.ts';

test('the functions’ logs contain no data that clients or operators entrust to the system', async () => {
  const planted = new Planted();
  planted.add('database password', new URL(inject('stack').mysqlUrl).password);
  const client = await deployment();
  const application = await useEveryRoute(client, planted);
  const token = application.split('/')[2] as string;

  const sqs = new SQSClient(awsClientSettings);
  const queue = async (name: string) =>
    new SqsQueue(sqs, await queueUrl(sqs, `${name}Queue`), await queueUrl(sqs, `${name}QueueDeadLetters`));
  const edit = (body: string, of = token) => encodeWrites([messageWrite(of, 1, 1, { revision: 9, body })]);
  const [store, search] = [await queue('Store'), await queue('Search')];
  const [noRecord, version, long, wide, noChange] = [
    'no record',
    'version',
    'long body',
    'wide token',
    'no change',
  ].map((what) => planted.word(what)) as [string, string, string, string, string];
  await store.send([
    noRecord,
    JSON.stringify({ version }),
    // Values that the database refuses: too long for the column, and a token outside of the column's character set.
    edit(long.repeat(3_000)),
    edit(planted.text('body'), `é${wide}`),
  ]);
  await search.send([noChange]);
  const deadLettersOf = async (queue: SqsQueue, marks: string[]) => {
    const deadLetters = await queue.deadLetters(1_000);
    return marks.filter((mark) => deadLetters.some(({ body }) => body.includes(mark))).length;
  };
  await expect
    .poll(() => deadLettersOf(store, [noRecord, version, long, wide]), { ...settled, timeout: 60_000 })
    .toBe(4);
  await expect.poll(() => deadLettersOf(search, [noChange]), settled).toBe(1);

  const logs = async () => (await scriptStack(project, 'logs', 'functions', '--lines', '99999')).stdout;
  const told = async () => (await logs()).match(/ER_DATA_TOO_LONG|ER_TRUNCATED_WRONG_VALUE_FOR_FIELD/g) ?? [];
  await expect
    .poll(told, settled)
    .toEqual(expect.arrayContaining(['ER_DATA_TOO_LONG', 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD']));
  const text = await logs();
  expect(text).toContain('REPORT RequestId');
  expect(planted.readableIn(text)).toEqual([]);
});

test('one request id appears in the logs of every function involved, and a client cannot choose it', async () => {
  const client = await deployment();
  const chat = await client.newChat();
  const feed = await client.get<{ transports: object[] }>(`/applications/${chat.split('/')[2]}/feed`);
  const steps = [
    'a batch was indexed',
    // Docker's LocalStack has no feed.
    ...(feed.body.transports.length > 0 ? ['a batch was published to the feed'] : []),
    'a batch was stored',
    'a write was accepted',
  ];
  // An id in the form of Lambda's.
  const forgedId = randomUUID();
  const forged = ['x-request-id', 'x-correlation-id', 'x-amzn-requestid'].map((name) => [name, forgedId]);
  const created = await client.post(`${chat}/messages`, { body: 'one' }, Object.fromEntries(forged));
  const id = created.headers.get('x-request-id') as string;
  const logs = async () => (await scriptStack(project, 'logs', 'functions', '--lines', '99999')).stdout;
  const told = async () =>
    (await logs())
      .split('\n')
      .filter((line) => line.includes(id) && line.includes('"_aws"'))
      .map((line) => JSON.parse(line.slice(line.indexOf('{"'))))
      .map(({ message, service }) => `${service}: ${message}`)
      .sort();
  await expect.poll(told, settled).toEqual(steps.map((what) => `ChatSystem-local: ${what}`));
  expect(await logs()).not.toContain(forgedId);
});

test('errors of the servers that quote the request are not logged', async () => {
  const secret = new Planted().word('secret');
  const db = openMysql(inject('stack').mysqlUrl, { connections: 1, timeouts: limits.sqlMs.work });
  const opensearch = openOpensearch(inject('stack').opensearchUrl);
  const sqs = new SQSClient(awsClientSettings);
  const faults = await Promise.all(
    [
      sql`SELECT ${secret} FROM nowhere`.execute(db),
      sql`SELECT CAST(${secret} AS DATE) + CHAR(256 USING ${sql.raw(secret)})`.execute(db),
      opensearch.search({ index: 'nowhere', body: { query: { term: { body: secret } } } }),
      opensearch.search({ index: messagesAlias, body: { query: { [secret]: 1 } } as never }),
      sqs.send(new SendMessageCommand({ QueueUrl: `http://127.0.0.1/000000000000/${secret}`, MessageBody: secret })),
    ].map((asked) =>
      asked.then(
        () => undefined,
        (error: Error) => error,
      ),
    ),
  );
  await db.destroy();
  await opensearch.close();
  // Checks that there was something to leave out.
  expect(faults.filter((fault) => fault && inspect(fault, { depth: 10 }).includes(secret)).length).toBeGreaterThan(3);
  for (const fault of faults) {
    expect(fault).toBeInstanceOf(Error);
    expect(JSON.stringify(loggableError(fault as Error))).not.toContain(secret);
  }
});
