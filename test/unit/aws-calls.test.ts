import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openLedgerTable } from '../../functions/aws/ledger-table.ts';
import { queueProviders } from '../../functions/aws/queues.ts';

/** Connections on which a request arrived, in the order of their first one. */
let connections: Socket[] = [];
const server = http.createServer(({ socket }, response) => {
  if (!connections.includes(socket)) connections.push(socket);
  response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}');
});
let queueUrl = '';

beforeEach(async () => {
  connections = [];
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  queueUrl = `${endpoint}/1/queue`;
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }))
    vi.stubEnv(name, value);
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1_000);

test('calls use a connection again, but not one that was idle while Lambda froze the function', async () => {
  const { table } = openLedgerTable({ LEDGER_TABLE: 'ledger' });
  const queue = await queueProviders.searchQueue.create({
    SEARCH_QUEUE_URL: queueUrl,
    SEARCH_DEAD_LETTER_QUEUE_URL: queueUrl,
  });
  for (const call of [() => table.query('partition', 1), () => queue.send(['{}'])]) {
    connections = [];
    for (const seconds of [0, 1, 9]) {
      pass(seconds);
      await call();
    }
    expect(connections).toHaveLength(1);
    pass(11);
    await call();
    expect(connections).toHaveLength(2);
    pass(-3_600);
    await call();
    expect(connections).toHaveLength(3);
  }
});
