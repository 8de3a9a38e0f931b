import { sql } from 'kysely';
import { limits } from '../../../lib/limits.ts';
import { assignments, merging } from '../../../lib/store/mysql/merge.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { blankValues, memberValues } from '../../../lib/store/sql/members.ts';
import { changesContract } from '../../contract/suites/changes.ts';
import { inventoryContract } from '../../contract/suites/inventory.ts';
import { type MemberRow, memberContract, twoMembers } from '../../contract/suites/members.ts';
import { type StoreUnderTest, storeContract } from '../../contract/suites/store.ts';
import { newDatabase, newStoreDatabase } from '../../support/servers/mysql-database.ts';

const newStore = async (): Promise<StoreUnderTest> => {
  const database = await newStoreDatabase();
  const open = (): StoreUnderTest => {
    const db = openMysql(database.url, { connections: 10, timeouts: limits.sqlMs.work });
    return {
      store: new MysqlStore(db),
      reopen: async () => {
        await db.destroy();
        return open();
      },
      close: async () => {
        await db.destroy();
        await database.drop();
      },
    };
  };
  return open();
};
storeContract('MySQL', newStore);
changesContract('MySQL', newStore);
inventoryContract('MySQL', newStore);

memberContract('MySQL', async () => {
  const database = await newDatabase();
  await database.run(`CREATE TABLE scratch (token VARCHAR(64) PRIMARY KEY, one TEXT NOT NULL, two TEXT,
    revision INT UNSIGNED NOT NULL, two_revision INT UNSIGNED NOT NULL, deleted TINYINT UNSIGNED NOT NULL,
    created_at BIGINT UNSIGNED, updated_at BIGINT UNSIGNED NOT NULL)`);
  const db = openMysql(database.url, { connections: 1, timeouts: limits.sqlMs.work });
  return {
    merge: async (key, writes) => {
      for (const write of writes) {
        const [values, deleted] =
          write.kind === 'deletion'
            ? [blankValues(twoMembers), 1]
            : [memberValues(twoMembers, write.change, write.revision), 0];
        const createdAt = write.kind === 'write' && write.revision === 0 ? write.at : null;
        await sql`INSERT INTO scratch (token, one, two, revision, two_revision, deleted, created_at, updated_at)
          VALUES (${sql.join([key, ...values, deleted, createdAt, write.at])})
          ON DUPLICATE KEY UPDATE ${assignments(merging(twoMembers))}`.execute(db);
      }
    },
    row: async (key) => (await sql<MemberRow>`SELECT * FROM scratch WHERE token = ${key}`.execute(db)).rows[0],
    close: async () => {
      await db.destroy();
      await database.drop();
    },
  };
});
