import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';
import { changesContract } from './suites/changes.ts';
import { inventoryContract } from './suites/inventory.ts';
import { searchIndexContract } from './suites/search-index.ts';
import { type StoreUnderTest, storeContract } from './suites/store.ts';

// The store and the search index of the embedded engine on real files.

const openStore = (file: SqliteFile): StoreUnderTest => ({
  store: new SqliteStore(file.database),
  reopen: async () => openStore(await file.reopen()),
  close: async () => file.remove(),
});

const newStore = async () => openStore(await openSqliteFile({ store: storeMigrations }));
storeContract('embedded', newStore);
changesContract('embedded', newStore);
inventoryContract('embedded', newStore);
searchIndexContract('embedded', async () => {
  const file = await openSqliteFile({ search: searchMigrations });
  return {
    index: new SqliteSearchIndex(file.database),
    refreshed: async () => undefined,
    close: async () => file.remove(),
  };
});
