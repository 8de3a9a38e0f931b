import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { getApplication } from '../../../functions/api/get-application.ts';
import { listMessages } from '../../../functions/api/list-messages.ts';
import { setLogLevel } from '../../../functions/runtime/observe/log.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { limits } from '../../../lib/limits.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { noAccess } from '../../support/client/access.ts';
import { answer, apiEvent, someToken as token } from '../../support/client/api-event.ts';
import { testCursors } from '../../support/client/cursors.ts';
import { FaultyProxy } from '../../support/faults/faulty-proxy.ts';
import { applicationWrite, chatWrite, messageWrites } from '../../support/histories/writes.ts';
import { type MysqlDatabase, newStoreDatabase } from '../../support/servers/mysql-database.ts';

setLogLevel('silent');

const functionMs = 3_000;
/** Milliseconds. Lambda ends a function at its limit, so a response must be there well before. */
const answerMs = functionMs - 100;
/** An empty ledger, so that every response comes from SQL. */
const ledger = { application: async () => undefined, chat: async () => undefined } as unknown as Ledger;

describe('a read', () => {
  let database: MysqlDatabase;
  let proxy: FaultyProxy;
  let user: string;
  /** The password that a function would read from its secret. */
  let secret: string;
  beforeEach(async () => {
    database = await newStoreDatabase();
    proxy = await FaultyProxy.to(database.url);
    user = new URL(database.url).pathname.slice(1, 30);
    secret = 'right';
    await database.run(`CREATE USER '${user}' IDENTIFIED BY 'right'`);
    await database.run(`GRANT ALL ON ${new URL(database.url).pathname.slice(1)}.* TO '${user}'`);
  });
  afterEach(async () => {
    await proxy.refuse();
    await database.run(`DROP USER '${user}'`);
    await database.drop();
  });

  /** Opens a function's store with some data and an open connection. */
  async function openStore() {
    const url = new URL(proxy.through(database.url));
    url.username = user;
    url.password = '';
    const db = openMysql(url.href, {
      connections: 2,
      timeouts: limits.sqlMs.reads,
      login: async () => ({ password: secret }),
    });
    onTestFinished(() => db.destroy());
    const store = new MysqlStore(db);
    await store.merge([applicationWrite(token), chatWrite(token, 1), ...messageWrites(token, 1, 1, 3)]);
    const read = async () => {
      const begun = performance.now();
      const { status, headers } = await answer(
        getApplication({ store, ledger, access: noAccess }),
        apiEvent('getApplication'),
        functionMs,
      );
      return { status, retryAfter: headers['Retry-After'], inTime: performance.now() - begun < answerMs };
    };
    expect(await read()).toEqual(works);
    return { store, read };
  }
  const works = { status: 200, retryAfter: undefined, inTime: true };
  const isOut = { status: 503, retryAfter: String(limits.unavailableRetryAfterSeconds), inTime: true };

  /** Ends the function's connections, as a restart of the server does. */
  const kill = async () => {
    for (const { ID } of await database.run('SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ?', user))
      await database.run(`KILL ${Number(ID)}`);
  };

  const faults: Record<string, [begin: () => unknown, end: () => unknown]> = {
    'refuses connections': [() => proxy.refuse(), () => proxy.restore()],
    'accepts connections but does not respond': [() => proxy.silence(), () => proxy.restore()],
    'refuses the password': [
      async () => {
        await database.run(`ALTER USER '${user}' IDENTIFIED BY 'another'`);
        await kill();
      },
      () => database.run(`ALTER USER '${user}' IDENTIFIED BY 'right'`),
    ],
    'has no free connections': [
      async () => {
        await database.run(`ALTER USER '${user}' WITH MAX_USER_CONNECTIONS 1`);
        await kill();
        const uri = new URL(database.url);
        Object.assign(uri, { username: user, password: 'right' });
        const taken = await createConnection({ uri: uri.href });
        onTestFinished(() => taken.destroy());
      },
      () => database.run(`ALTER USER '${user}' WITH MAX_USER_CONNECTIONS 0`),
    ],
    'denies the read': [
      async () => {
        await database.run(`REVOKE ALL PRIVILEGES, GRANT OPTION FROM '${user}'`);
        await kill();
      },
      () => database.run(`GRANT ALL ON ${new URL(database.url).pathname.slice(1)}.* TO '${user}'`),
    ],
    'lacks a table': [
      () => database.run('RENAME TABLE applications TO elsewhere'),
      () => database.run('RENAME TABLE elsewhere TO applications'),
    ],
    'waits for a lock': [() => database.run('LOCK TABLES applications WRITE'), () => database.run('UNLOCK TABLES')],
  };
  for (const [fault, [begin, end]] of Object.entries(faults))
    test(`a read gets a 503 in time when the database ${fault}, and succeeds again afterwards`, async () => {
      const { read } = await openStore();
      await begin();
      expect([await read(), await read()]).toEqual([isOut, isOut]);
      await end();
      expect([await read(), await read()]).toEqual([works, works]);
    });

  test('a read gets a 503 in time when its queries together are too slow, but no single one is', async () => {
    const { store } = await openStore();
    // An empty page takes three queries.
    const event = apiEvent('listMessages', { query: { after: '3' } });
    proxy.delayMs = 1_200;
    const begun = performance.now();
    const { status } = await answer(
      listMessages({ store, ledger, cursors: testCursors(), access: noAccess }),
      event,
      functionMs,
    );
    expect([status, performance.now() - begun < answerMs]).toEqual([503, true]);
  });

  test('a read succeeds at once when the server closed its connection, or a NAT dropped it while the function slept', async () => {
    const { read } = await openStore();
    await kill();
    await sleep(50);
    expect(await read()).toEqual(works);
    // The network drops this connection without closing it.
    await sleep(1_100);
    proxy.silenceOpen();
    expect(await read()).toEqual(works);
    expect(await read()).toEqual(works);
  });

  test('a read succeeds at once when the password was changed', async () => {
    const { read } = await openStore();
    await database.run(`ALTER USER '${user}' IDENTIFIED BY 'changed'`);
    await kill();
    await sleep(50);
    secret = 'changed';
    expect(await read()).toEqual(works);
  });

  test('a query that timed out does not return its connection to the pool', async () => {
    const { store, read } = await openStore();
    await database.run('LOCK TABLES applications WRITE');
    await expect(store.application(token)).rejects.toMatchObject({ name: 'Unavailable' });
    await expect.poll(() => proxy.connections).toBe(0);
    await database.run('UNLOCK TABLES');
    expect(await read()).toEqual(works);
  });
});
