import { Cursors } from '../../../lib/api/cursors.ts';
import { SqliteSearchIndex } from '../../../lib/search/sqlite/sqlite-index.ts';
import { SqliteStore } from '../../../lib/store/sqlite/sqlite-store.ts';
import { fixedSecret } from '../../../lib/system-secret.ts';
import { openAccess } from '../../../local/access.ts';
import { openEngineFiles } from '../../../local/engine-files.ts';
import { loadOperations } from '../../../local/operations.ts';
import { createServer } from '../../../local/server.ts';
import { systemSecretOf } from '../../../local/system-secret.ts';
import { Traffic } from '../../../local/traffic.ts';

// The embedded engine without its worker thread: accepted writes are on disk and stay in the queue.

const [dataDir] = process.argv.slice(2);
if (!dataDir) throw new Error('The data folder is missing');
const { ledger, storeDatabase } = await openEngineFiles(dataDir);
const systemSecret = systemSecretOf(dataDir);
const services = {
  ledger,
  store: new SqliteStore(storeDatabase),
  searchIndex: new SqliteSearchIndex(storeDatabase),
  cursors: new Cursors(fixedSecret(systemSecret)),
  access: openAccess(systemSecret, ledger),
};
const server = createServer(
  await loadOperations({ ...services, adminKey: undefined }),
  { adminKey: undefined, onLoopback: true, access: services.access, isKnown: (token) => ledger.hasApplication(token) },
  { traffic: new Traffic({ isVerbose: false, followers: () => 0 }) },
);
await server.listen({ port: 0, host: '127.0.0.1' });
process.send?.(server.port);
