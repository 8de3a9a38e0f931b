import { fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type * as z from 'zod';
import { log, logEvents, setLogLevel } from '../../functions/runtime/observe/log.ts';
import { responseSchemas } from '../../lib/api/responses.ts';
import { type OperationId, routes } from '../../lib/api/routes.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { loadOperations, pagedReads } from '../../local/operations.ts';
import { Readers } from '../../local/readers.ts';
import { percentile } from '../../tools/statistics/quantiles.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

const module = new URL('./odd-reader.ts', import.meta.url);
const waiting = { timeout: 20_000, interval: 10 };

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the pool of reader processes', () => {
  let file: SqliteFile;
  beforeEach(async () => {
    setLogLevel('silent');
    file = await openSqliteFile({ queue: queueMigrations });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    file.remove();
  });

  const isKnown = (token: string) => !token.startsWith('invented');
  const start = (deadlineMs: number, adminKey?: string) => {
    const readers = new Readers({
      module,
      data: { storePath: file.path, logLevel: 'silent', adminKey, systemSecret: '' },
      ledger: {
        application: async (token) => ({ name: token, createdAt: 1, updatedAt: 2 }),
        chat: async () => undefined,
        hasMessage: async () => false,
        accessGeneration: async () => 0,
      },
      isKnown,
      access: { callerOf: async (bearer) => (isKnown(bearer) ? { token: bearer, holder: undefined } : 'expired') },
      deadlineMs,
    });
    onTestFinished(() => readers.stop());
    const handler = readers.handler('searchApplication');
    const read = (q: string, token = 'A', headers = {}): Promise<APIGatewayProxyResult> =>
      handler(
        { pathParameters: { token }, queryStringParameters: { q }, headers } as unknown as APIGatewayProxyEvent,
        { awsRequestId: crypto.randomUUID() } as Context,
      );
    /** Returns the read's response once its process is ready, whatever the deadline and however busy the machine is. */
    const first = () => vi.waitFor(async () => expect(await read('echo')).toMatchObject({ statusCode: 200 }), waiting);
    return { readers, read, first };
  };
  const pidOf = ({ body }: APIGatewayProxyResult) => Number(body);
  const isRefused = (result: APIGatewayProxyResult) => {
    expect(result).toMatchObject({ statusCode: 503, headers: { 'Retry-After': expect.stringMatching(/^[15]$/) } });
    expect(JSON.parse(result.body)).toMatchObject({ code: 'unavailable', request_id: expect.any(String) });
  };

  test('a reader process ends and prints nothing when the server is killed while the process starts', async () => {
    const child = fork(new URL('../../local/reader.ts', import.meta.url), { serialization: 'advanced', silent: true });
    child.send({ storePath: file.path, logLevel: 'warn', adminKey: undefined, systemSecret: '' });
    // As when the server dies: the other end of the channel is closed.
    child.disconnect();
    const [said, [status]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')]);
    expect([said, status]).toEqual(['', 0]);
  });

  test('the pool runs a handler in another process, which can query the ledger', async () => {
    const { read, first } = start(10_000);
    await first();
    expect(pidOf(await read('echo'))).not.toBe(process.pid);
    expect(JSON.parse((await read('ledger T')).body)).toEqual({ name: 'T', createdAt: 1, updatedAt: 2 });
  });

  test('a read gets a 503 at the deadline, its process is killed in the middle of a query, and the next read is served', async () => {
    const { read, first } = start(1_000);
    const warn = vi.spyOn(log, 'warn');
    await first();
    const pid = pidOf(await read('echo'));
    const begun = performance.now();
    const [hung, after] = await Promise.all([read('hang'), read('echo')]);
    expect(performance.now() - begun).toBeLessThan(3_000);
    isRefused(hung);
    // The next read waited behind the slow one until the deadline, or was served by the spare process.
    if (after.statusCode !== 200) isRefused(after);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), waiting);
    await first();
    expect(warn.mock.calls.map(([message]) => message)).toEqual([logEvents.readTooSlow]);
  });

  test('killing a process in the middle of a query leaves no lock in the database', async () => {
    const { read, first } = start(1_000);
    await first();
    const hung = read('hang');
    const write = () => file.database.raw.exec('CREATE TABLE IF NOT EXISTS t (n); INSERT INTO t VALUES (1)');
    const isReset = () => {
      write();
      return file.database.raw.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0;
    };
    file.database.raw.exec('PRAGMA busy_timeout = 0');
    // SQLite cannot restart the journal while the process reads.
    await expect.poll(isReset, waiting).toBe(false);
    isRefused(await hung);
    await expect.poll(isReset, waiting).toBe(true);
  });

  test('a read that waited until the deadline gets a 503, and no process is ended for it', async () => {
    const { read, first } = start(1_000);
    const warn = vi.spyOn(log, 'warn');
    await first();
    const all = await Promise.all([read('hang'), read('hang'), read('hang'), read('hang')]);
    for (const result of all) isRefused(result);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('no process is killed for a read that mostly waited, and that read still gets its response in time', async () => {
    const { read, first } = start(1_000);
    const warn = vi.spyOn(log, 'warn');
    await first();
    const begun = performance.now();
    const results = await Promise.all([read('sleep 800'), read('sleep 400'), read('echo')]);
    expect(performance.now() - begun).toBeLessThan(1_190);
    expect(results.map(({ statusCode }) => statusCode)).toEqual([200, 503, 503]);
    expect(await read('echo')).toMatchObject({ statusCode: 200 });
    expect(warn).not.toHaveBeenCalled();
  });

  test('the pool keeps a process for other applications while it replaces the processes of two applications that have only slow reads', async () => {
    // Longer than a process takes to start on a busy machine, because one read of B waits for such a start.
    const { read, first } = start(3_000);
    await first();
    const other = async () => {
      const begun = performance.now();
      expect(await read('echo', 'B')).toMatchObject({ statusCode: 200 });
      return performance.now() - begun;
    };
    let isOver = false;
    const slow = (async () => {
      // Two applications, because their reads could occupy both processes.
      await Promise.all(
        ['A', 'C'].map(async (name) => {
          for (let i = 0; i < 2; i++) isRefused(await read('hang', name));
        }),
      );
      isOver = true;
    })();
    await sleep(3_100);
    const times: number[] = [];
    while (!isOver) times.push(await other());
    await slow;
    expect(times.length).toBeGreaterThan(20);
    // Killing the first process may leave none ready. From then on the two applications share one.
    expect(percentile(times, 90)).toBeLessThan(300);
  });

  test('the pool immediately refuses reads beyond the queue of one application, and accepts those of others', async () => {
    const { read, first } = start(5_000);
    await first();
    const answers = Array.from({ length: 120 }, () => read('sleep 2'));
    const [other, results] = await Promise.all([read('echo', 'B'), Promise.all(answers)]);
    expect(other).toMatchObject({ statusCode: 200 });
    const refused = results.filter(({ statusCode }) => statusCode === 503);
    expect(refused.length).toBeGreaterThanOrEqual(19);
    expect(refused.length).toBeLessThanOrEqual(20);
    for (const result of refused) isRefused(result);
  });

  test('the pool immediately refuses reads beyond the queue of all applications', async () => {
    const { read, first } = start(5_000);
    await first();
    const answers = Array.from({ length: 520 }, (_, i) => read('sleep 1', `application ${i}`));
    const results = await Promise.all(answers);
    const refused = results.filter(({ statusCode }) => statusCode === 503).length;
    expect(refused).toBeGreaterThanOrEqual(18);
    expect(refused).toBeLessThanOrEqual(20);
  });

  test('the pool serves the applications in turn, and never two reads of one application at once', async () => {
    const { read, first } = start(20_000);
    await first();
    const order: string[] = [];
    // Long enough that a process which gets no processor time for a while does not change the order.
    const ms = 150;
    const noted = async (name: string) => {
      await read(`sleep ${ms}`, name);
      order.push(name);
    };
    const begun = performance.now();
    const ofMany = Promise.all(Array.from({ length: 10 }, () => noted('A')));
    await Promise.all([noted('B'), noted('C'), noted('D')]);
    expect(order.filter((name) => name === 'A').length).toBeLessThanOrEqual(4);
    await ofMany;
    expect(performance.now() - begun).toBeGreaterThanOrEqual(10 * (ms - 1));
  });

  test.for([40, 300])(
    'the pool serves an application at its usual pace while twelve others have reads of %i ms',
    async (ms) => {
      const { read, first } = start(20_000);
      await first();
      await read('echo', 'quick');
      const ofEach = ms < 100 ? 8 : 1;
      let left = 12 * ofEach;
      const slow = Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          for (let n = 0; n < ofEach; n++) {
            await read(`sleep ${ms}`, `slow ${i}`);
            left--;
          }
        }),
      );
      // The number of slow reads that ended while each quick one waited.
      const endedMeanwhile: number[] = [];
      while (left > 0) {
        const before = left;
        await read('echo', 'quick');
        endedMeanwhile.push(before - left);
      }
      await slow;
      // If the pool took all applications in turn, eleven slow reads would precede each quick one, which would wait for
      // 3.3 s.
      expect(endedMeanwhile.length).toBeGreaterThan(100);
      expect(ms * Math.max(...endedMeanwhile)).toBeLessThan(2_000);
    },
  );

  test('all unknown tokens together have one turn in the queue', async () => {
    const { read, first } = start(20_000);
    await first();
    let answered = 0;
    const invented = Promise.all(
      Array.from({ length: 600 }, async (_, i) => {
        const { statusCode } = await read('sleep 10', `invented ${i}`);
        if (statusCode === 200) answered++;
        return statusCode;
      }),
    );
    for (let i = 0; i < 20; i++) expect(await read('sleep 10')).toMatchObject({ statusCode: 200 });
    expect(answered).toBeLessThan(40);
    expect((await invented).filter((status) => status === 200).length).toBeLessThanOrEqual(101);
  });

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  test('reads with a bearer token take turns with the others of their application', async () => {
    const { read, first } = start(10_000);
    await first();
    const order: string[] = [];
    const noted = async (name: string, reading: Promise<unknown>) => {
      await reading;
      order.push(name);
    };
    const reads = Array.from({ length: 20 }, () => noted('A', read('sleep 20', 'self', bearer('A'))));
    await new Promise(setImmediate);
    // The read of A waits for the 20 before it. That of B waits for none of them, because applications take turns.
    reads.push(noted('A in the path', read('sleep 20', 'A')), noted('B', read('sleep 20', 'self', bearer('B'))));
    await Promise.all(reads);
    expect(order.indexOf('B')).toBeLessThan(20);
    expect(order.indexOf('A in the path')).toBeGreaterThanOrEqual(20);
  });

  test('reads whose bearer token is refused get their 401 without a turn, however many there are', async () => {
    const { read, first } = start(10_000);
    await first();
    const atWork = [read('sleep 200'), read('sleep 200', 'B')];
    const refused = async (headers: Record<string, string>) => {
      const { statusCode, body } = await read('echo', 'self', headers);
      return [statusCode, (JSON.parse(body) as { code: string }).code];
    };
    // More than may wait, so without a refusal at once some would get a 503.
    const codes = await Promise.all(
      Array.from({ length: 600 }, (_, i) => refused(i % 2 ? bearer('invented') : {}).then(String)),
    );
    expect(new Set(codes)).toEqual(new Set(['401,access_token_required', '401,access_token_expired']));
    for (const { statusCode } of await Promise.all(atWork)) expect(statusCode).toBe(200);
  });

  test('an application with slow reads is served after a process died, although no other reads arrive', async () => {
    const { read, first } = start(10_000);
    vi.spyOn(log, 'error').mockImplementation(() => undefined);
    await first();
    expect(await read('sleep 40', 'slow')).toMatchObject({ statusCode: 200 });
    isRefused(await read('die', 'B'));
    expect(await read('sleep 40', 'slow')).toMatchObject({ statusCode: 200 });
  });

  test('a read gets a 503 when its process dies, and the process is replaced', async () => {
    const { read, first } = start(10_000);
    const error = vi.spyOn(log, 'error');
    await first();
    isRefused(await read('die'));
    expect(error.mock.calls).toEqual([[logEvents.readerDied, { code: 3, signal: null }]]);
    expect(await read('echo')).toMatchObject({ statusCode: 200 });
  });

  test('an error of a handler rejects the read, and the process is kept', async () => {
    const { read, first } = start(10_000);
    await first();
    await expect(read('fail')).rejects.toThrow('a fault in a handler');
    expect(await read('echo')).toMatchObject({ statusCode: 200 });
  });

  test('reads get a 503 while no process starts, and the pool retries only after a pause', async () => {
    const failedAt: number[] = [];
    vi.spyOn(log, 'error').mockImplementation(() => void failedAt.push(performance.now()));
    const { readers, read } = start(500, 'fails to start');
    for (const result of await Promise.all(Array.from({ length: 20 }, () => read('echo')))) isRefused(result);
    await readers.started();
    await expect.poll(() => failedAt.length, waiting).toBe(2);
    const [first = 0, second = 0] = failedAt;
    expect(second - first).toBeGreaterThanOrEqual(999);
  });

  test('a stop gives the remaining reads a 503 and leaves no process behind', async () => {
    const { readers, read, first } = start(10_000);
    await first();
    const pid = pidOf(await read('echo'));
    const left = [read('hang'), read('echo'), read('echo')];
    await readers.stop();
    for (const result of await Promise.all(left)) isRefused(result);
    isRefused(await read('echo'));
    expect(isAlive(pid)).toBe(false);
  });
});

test('exactly the routes that return a page run in a reader process', async () => {
  const documented: Partial<Record<OperationId, z.ZodObject>> = responseSchemas;
  const isPage = (id: OperationId) => ['next', 'more'].some((member) => member in (documented[id]?.shape ?? {}));
  expect(pagedReads).toEqual((Object.keys(routes) as OperationId[]).filter(isPage));
  const elsewhere = new Map(pagedReads.map((id) => [id, vi.fn()]));
  const operations = await loadOperations({ adminKey: undefined }, elsewhere);
  expect([...operations.keys()]).toEqual(Object.keys(routes));
  for (const id of pagedReads) expect(operations.get(id)).toBe(elsewhere.get(id));
});
