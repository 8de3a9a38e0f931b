import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { decodeWrites } from '../../lib/queue/records.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { type EngineFiles, openEngineFiles, openSnapshot } from '../../local/engine-files.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

describe('a data folder', () => {
  let folder: string;
  let files: EngineFiles;
  let token: string;
  beforeEach(async () => {
    folder = dataFolder();
    files = await openEngineFiles(folder);
    ({ token } = await files.ledger.createApplication('One'));
    await files.ledger.createChat(token, chatNamed(null));
    return () => files.close();
  });

  const send = (to = files) => to.ledger.createMessages({ token, chat: 1 }, contents(['Hello']));
  const storeAll = async () => {
    const deliveries = await files.queues.store.receive(100);
    await new SqliteStore(files.storeDatabase).merge(deliveries.flatMap(({ body }) => decodeWrites(body)));
    await files.queues.store.acknowledge(deliveries.map(({ receipt }) => receipt));
  };
  /** Copies the folder as a kill at this moment would leave it. */
  const killed = () => {
    const copy = dataFolder();
    cpSync(folder, copy, { recursive: true });
    return copy;
  };
  const remove = (copy: string, name: string) => rmSync(path.join(copy, name));
  const opened = async (copy: string, onInconsistency?: 'repair') => {
    const again = await openEngineFiles(copy, onInconsistency);
    onTestFinished(() => again.close());
    return again;
  };

  test('a data folder is accepted after a kill at any moment', async () => {
    await opened(killed());
    await send();
    await opened(killed());
    await storeAll();
    await opened(killed());
  });

  test('a data folder is refused when the ledger lost commits that are not in the store yet', async () => {
    await storeAll();
    const copy = killed();
    await send();
    cpSync(path.join(folder, 'ledger.mark'), path.join(copy, 'ledger.mark'));
    await expect(openEngineFiles(copy)).rejects.toThrow(
      `The database ${copy}/ledger.db has lost its last commits, so accepted messages may be missing`,
    );
  });

  test('a data folder is refused when both journals are lost and only ledger.mark shows that there were more commits', async () => {
    await send();
    const copy = killed();
    for (const name of ['ledger.db-wal', 'store.db-wal']) remove(copy, name);
    await expect(openEngineFiles(copy)).rejects.toThrow('has lost its last commits');
  });

  test('a data folder is accepted when ledger.mark is behind, unreadable, missing or from another folder', async () => {
    const early = killed();
    await send();
    await storeAll();
    const write = (copy: string, text: string) => writeFileSync(path.join(copy, 'ledger.mark'), text);
    for (const change of [
      (copy: string) => cpSync(path.join(early, 'ledger.mark'), path.join(copy, 'ledger.mark')),
      (copy: string) => write(copy, 'no mark'),
      (copy: string) => remove(copy, 'ledger.mark'),
      (copy: string) => write(copy, `${'0'.repeat(32)} 4711       \n`),
    ]) {
      const copy = killed();
      change(copy);
      await opened(copy);
    }
  });

  test('a data folder stays refused during a repair, whatever the repair writes, and is accepted afterwards', async () => {
    const early = killed();
    for (let i = 0; i < 3; i++) await send();
    await storeAll();
    const copy = killed();
    for (const name of ['ledger.db', 'ledger.db-wal']) cpSync(path.join(early, name), path.join(copy, name));
    for (let i = 0; i < 5; i++) {
      const repairing = await openEngineFiles(copy, 'repair');
      await repairing.ledger.restoreMessage({ token, chat: 1, number: i + 1, revision: 1, deleted: false });
      await new SqliteStore(repairing.storeDatabase).merge([{ kind: 'deletion', token, chat: 1, number: 9, at: i }]);
      await repairing.close();
      await expect(openEngineFiles(copy)).rejects.toThrow(`ledger.db is older than ${copy}/store.db, so numbers`);
    }
    const repairing = await openEngineFiles(copy, 'repair');
    await repairing.markConsistent();
    await repairing.close();
    const again = await opened(copy);
    await send(again);
  });

  test('a data folder is refused when the store lost writes that were acknowledged in the queue', async () => {
    const early = killed();
    await send();
    await storeAll();
    const copy = killed();
    for (const name of ['store.db', 'store.db-wal']) cpSync(path.join(early, name), path.join(copy, name));
    await expect(openEngineFiles(copy)).rejects.toThrow(
      `${copy}/store.db has lost commits that ${copy}/ledger.db relies on`,
    );
  });

  test('a data folder is refused with the store of another one', async () => {
    const other = dataFolder();
    await (await openEngineFiles(other)).close();
    await storeAll();
    const copy = killed();
    remove(copy, 'store.db-wal');
    cpSync(path.join(other, 'store.db'), path.join(copy, 'store.db'));
    await expect(openEngineFiles(copy)).rejects.toThrow('store.db belongs to another data folder than');
  });

  test('a data folder without commit numbers is accepted and gets them', async () => {
    await files.close();
    for (const name of ['ledger.db', 'store.db']) {
      const raw = new DatabaseSync(path.join(folder, name));
      raw.exec('DROP TABLE folder; DROP TABLE folder_migrations; DROP TABLE folder_migrations_lock');
      raw.exec('PRAGMA user_version = 0; PRAGMA application_id = 0');
      raw.close();
    }
    remove(folder, 'ledger.mark');
    files = await openEngineFiles(folder);
    const early = killed();
    await send();
    await storeAll();
    const copy = killed();
    for (const name of ['ledger.db', 'ledger.db-wal']) cpSync(path.join(early, name), path.join(copy, name));
    await expect(openEngineFiles(copy)).rejects.toThrow('is older than');
  });

  test('a snapshot is taken again when another process accepts and stores a message between the reads of the two files', async () => {
    await storeAll();
    await files.close();
    const root = path.resolve(import.meta.dirname, '../..');
    const sendAndStore = `
      const from = (file) => import(${JSON.stringify(root)} + '/' + file);
      const { openEngineFiles } = await from('local/engine-files.ts');
      const { decodeWrites } = await from('lib/queue/records.ts');
      const { SqliteStore } = await from('lib/store/sqlite/sqlite-store.ts');
      const files = await openEngineFiles(process.argv[1]);
      await files.ledger.createMessages({ token: process.argv[2], chat: 1 }, ${JSON.stringify(contents(['Hello']))});
      const deliveries = await files.queues.store.receive(100);
      await new SqliteStore(files.storeDatabase).merge(deliveries.flatMap(({ body }) => decodeWrites(body)));
      await files.queues.store.acknowledge(deliveries.map(({ receipt }) => receipt));
      await files.close();`;
    let reads = 0;
    const snapshot = openSnapshot(folder, {
      beforeStore: () => {
        reads++;
        if (reads === 1)
          execFileSync(process.execPath, ['--input-type=module', '-e', sendAndStore, folder, token], {
            stdio: ['ignore', 'inherit', 'inherit'],
          });
      },
    });
    const { ledgerDatabase, storeDatabase, ledger, store, inconsistency } = snapshot;
    const count = (database: typeof ledgerDatabase, text: string) => database.prepare(text).get()?.count;
    expect(inconsistency).toBeUndefined();
    expect(reads).toBe(2);
    expect(store.commitNumbers.other).toBeLessThanOrEqual(ledger.commitNumbers.own);
    expect(count(ledgerDatabase, 'SELECT sum(messages) AS count FROM chats')).toBe(1);
    expect(count(storeDatabase, 'SELECT count(*) AS count FROM messages')).toBe(1);
    snapshot.close();
    files = await openEngineFiles(folder);
  });
});
