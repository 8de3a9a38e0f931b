import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import type { Write } from '../../lib/model/write.ts';
import { encodeWrites } from '../../lib/queue/records.ts';
import { SqsQueue } from '../../lib/queue/sqs/sqs-queue.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { OpensearchIndex } from '../../lib/search/opensearch/opensearch-index.ts';
import { MysqlStore, openMysql } from '../../lib/store/mysql/mysql-store.ts';
import type { Application, Chat, Client, Message } from '../support/client/client.ts';
import { messageWrite, numbers } from '../support/histories/writes.ts';
import { awsClientSettings, awsServices } from '../support/servers/aws-services.ts';
import { counted, deployment, settled } from '../support/servers/deployment.ts';
import { queueUrl } from '../support/servers/queue-url.ts';

// Tests the deployed stack from both ends: the HTTP API in front; SQL, search and the queues behind it.

describe('on the deployed stack', () => {
  const db = openMysql(awsServices.mysqlUrl, { connections: 2, timeouts: limits.sqlMs.work });
  const store = new MysqlStore(db);
  const client = openOpensearch(awsServices.opensearchUrl);
  const index = new OpensearchIndex(client);
  const sqs = new SQSClient(awsClientSettings);
  let storeQueue: SqsQueue;
  let api: Client;
  let token: string;
  let chat: number;
  /**
   * A message that every record sent by hand edits. Once its edit is found, the record's other writes are stored and
   * indexed.
   */
  let witness: number;
  let deliveries = 0;

  beforeAll(async () => {
    storeQueue = new SqsQueue(sqs, await queueUrl(sqs, 'StoreQueue'), await queueUrl(sqs, 'StoreQueueDeadLetters'));
    api = await deployment();
    token = (await created<Application>('/applications', { name: 'flow' })).token;
    chat = (await created<Chat>(`/applications/${token}/chats`, { name: 'flow' })).number;
    witness = (await create('witness')).number;
  });
  afterAll(async () => {
    await db.destroy();
    await client.close();
  });

  async function created<Thing>(path: string, body: object): Promise<Thing> {
    const answer = await api.post<Thing>(path, body);
    expect(answer.status).toBe(201);
    return answer.body;
  }
  const messages = () => `/applications/${token}/chats/${chat}/messages`;
  const create = (body: string) => created<Message>(messages(), { body });
  const stored = async (number: number) => store.message(token, chat, number);
  const storedBody = async (number: number) => {
    const message = await stored(number);
    return typeof message === 'string' ? message : message.content.body;
  };
  const found = async (q: string) => {
    const { matches } = await index.search({ token, chat, q, limit: 100 });
    return matches.map(({ number }) => number);
  };
  const edit = (number: number, revision: number, body: string) =>
    messageWrite(token, chat, number, { revision, body, at: Date.now() });
  /** Sends the writes as one record, and resolves when they are stored and indexed. */
  const deliver = async (...writes: Write[]) => {
    const seen = `witness ${++deliveries}`;
    await storeQueue.send([encodeWrites([...writes, edit(witness, deliveries, seen)])]);
    await expect.poll(() => found(seen), settled).toEqual([witness]);
  };

  test('a created message reaches SQL and search through the queues', async () => {
    const { number, created_at } = await create('through the queues');
    await expect
      .poll(() => stored(number), settled)
      .toEqual({
        number,
        content: { sender: null, body: 'through the queues', metadata: null },
        createdAt: Date.parse(created_at),
        updatedAt: Date.parse(created_at),
      });
    await expect.poll(() => found('ough the que'), settled).toEqual([number]);
  });

  test('a redelivered record changes nothing', async () => {
    const { number } = await create('once');
    expect(await api.patch(`${messages()}/${number}`, { body: 'edited once' })).toMatchObject({ status: 200 });
    await expect.poll(() => storedBody(number), settled).toBe('edited once');
    const before = await stored(number);
    const write = edit(number, 0, 'once');
    for (const _ of numbers(1, 3)) await deliver(write, write);
    expect(await stored(number)).toEqual(before);
    expect(await found('once')).toEqual([number]);
    expect(await found('edited once')).toEqual([number]);
  });

  test('edits that arrive in another order result in the last revision', async () => {
    const { number } = await create('revision 0');
    for (const revision of [3, 1, 2]) await deliver(edit(number, revision, `revision ${revision}`));
    expect(await storedBody(number)).toBe('revision 3');
    expect(await found('revision')).toEqual([number]);
    expect(await found('revision 3')).toEqual([number]);
  });

  test('a late delivery does not restore a deleted message', async () => {
    const { number } = await create('short-lived');
    expect(await api.delete(`${messages()}/${number}`)).toMatchObject({ status: 204 });
    await deliver(edit(number, 7, 'short-lived, late'));
    expect(await stored(number)).toBe('deleted');
    expect(await found('short-lived')).toEqual([]);
  });

  test('a malformed record becomes a dead letter with its reason, and the records around it are stored', async () => {
    const [first, last] = [await create('before'), await create('behind')];
    const poison = `{"version": 1, "writes": "none, ${Math.random()}"}`;
    const mates = [edit(first.number, 101, 'mate 101'), edit(last.number, 102, 'mate 102')] as const;
    await storeQueue.send([encodeWrites([mates[0]]), poison, encodeWrites([mates[1]])]);
    await expect.poll(() => storedBody(first.number), settled).toBe('mate 101');
    await expect.poll(() => storedBody(last.number), settled).toBe('mate 102');
    await expect
      .poll(async () => (await storeQueue.deadLetters(100)).find(({ body }) => body === poison), settled)
      .toMatchObject({ reason: expect.stringContaining('writes') });
  });

  test('the scheduled roll-up sets the counts', async () => {
    const { token: counting } = await created<Application>('/applications', { name: 'counted' });
    const { number } = await created<Chat>(`/applications/${counting}/chats`, {});
    const path = `/applications/${counting}/chats/${number}`;
    await created(`${path}/messages/batch`, { messages: numbers(1, 5).map((i) => ({ body: `${i}` })) });
    expect(await api.delete(`${path}/messages/3`)).toMatchObject({ status: 204 });
    await expect.poll(async () => (await api.get<Chat>(path)).body.messages_count, counted).toBe(4);
    await expect
      .poll(async () => (await api.get<Application>(`/applications/${counting}`)).body.chats_count, counted)
      .toBe(1);
  });
});
