import { ensureDatabaseSecret, ensureUserSecrets } from './database-secret.ts';
import { deployToEmulator, isDeployed } from './deploy.ts';
import { requireLoopback } from './endpoint.ts';
import { migrateSearch, migrateSql } from './migrate.ts';
import { runSteps } from './progress.ts';
import type { Provider, Step } from './provider.ts';

/**
 * Starts the servers, and creates the tables, users and index that the functions need. Changes nothing when all of it
 * exists.
 */
export async function bringUp(provider: Provider): Promise<void> {
  const { servers } = provider;
  requireLoopback(servers.awsEndpoint);
  await provider.check();
  await runSteps(provider.steps, { concurrent: true });
  const preparing: Step[] = [
    {
      title: 'Tables and SQL users',
      run: async () => {
        await ensureDatabaseSecret(servers.awsEndpoint, servers.mysqlPassword);
        await migrateSql(servers, await ensureUserSecrets(servers.awsEndpoint));
      },
    },
    { title: 'Search index', run: () => migrateSearch(servers) },
  ];
  await runSteps(preparing, { concurrent: true });
}

/** Deploys the code of this checkout. Unless `always` is set, it does nothing when that code is already deployed. */
export async function deployTo({ servers }: Provider, always: boolean): Promise<void> {
  const step: Step = {
    title: 'Deployment',
    run: async (say) => {
      if (!always && (await isDeployed(servers))) say('The deployed code is up to date');
      else await deployToEmulator(servers, say);
    },
  };
  await runSteps([step], { concurrent: false });
}
