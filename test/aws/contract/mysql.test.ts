import { limits } from '../../../lib/limits.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { inventoryContract } from '../../contract/suites/inventory.ts';
import { type StoreUnderTest, storeContract } from '../../contract/suites/store.ts';
import { newStoreDatabase } from '../../support/mysql-database.ts';

const newStore = async (): Promise<StoreUnderTest> => {
  const database = await newStoreDatabase();
  const open = (): StoreUnderTest => {
    const db = openMysql(database.url, { connections: 10, waiting: limits.sqlMs.work });
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
inventoryContract('MySQL', newStore);
