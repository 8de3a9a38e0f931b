import { MysqlStore, migrateMysql, openMysql } from '../../../lib/store/mysql.ts';
import { type StoreUnderTest, storeContract } from '../../contract/suites/store.ts';
import { awsServices } from '../../support/aws-services.ts';

async function openStore(): Promise<StoreUnderTest> {
  const db = openMysql(awsServices.MYSQL_URL, 10);
  await migrateMysql(db);
  return {
    store: new MysqlStore(db),
    reopen: async () => {
      await db.destroy();
      return openStore();
    },
    close: () => db.destroy(),
  };
}

storeContract('MySQL', openStore);
