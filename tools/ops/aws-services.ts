import { database } from '../../functions/aws/database.ts';
import { readDatabaseLogin } from '../../functions/aws/database-login.ts';
import { feedQueue } from '../../functions/aws/feed-queue.ts';
import { ledger } from '../../functions/aws/ledger.ts';
import { parkedWrites } from '../../functions/aws/parked-writes.ts';
import { bind } from '../../functions/aws/provider.ts';
import { queueProviders } from '../../functions/aws/queues.ts';
import { searchCluster } from '../../functions/aws/search-cluster.ts';
import { searchIndex } from '../../functions/aws/search-index.ts';
import { store } from '../../functions/aws/store.ts';
import { perQueue, queueService, queueVariables } from '../../functions/queues.ts';
import { limits } from '../../lib/limits.ts';
import { OpensearchReindexing } from '../../lib/search/opensearch/reindex.ts';
import { type CopyStep, copyDatabase } from '../../lib/store/mysql/copy.ts';
import { openMysql } from '../../lib/store/mysql/mysql-store.ts';
import { CommandProblem } from '../cli/problem.ts';
import { currentProvider } from '../stack/choosing.ts';
import { functionsEnvironment } from '../stack/functions-environment.ts';
import type { OpsServices } from './engine.ts';

const providers = { database, ledger, parkedWrites, store, searchIndex, searchCluster, ...queueProviders };

/**
 * Opens a deployed system. The environment must have the variables of the functions of that system.
 *
 * @throws CommandProblem naming the variables that are missing or wrong
 */
export async function openAws(): Promise<OpsServices> {
  // No client waits for these queries, so they get the longer timeouts of the workers.
  process.env.MYSQL_USE ??= 'work';
  const explain = (error: Error) => {
    throw new CommandProblem(`${error.message}; see docs/operations.md.`, { cause: error });
  };
  const bound = await bind(providers).catch(explain);
  const hasFeed = process.env[queueVariables('feed').url] !== undefined;
  const ofFeed = hasFeed ? await bind({ feedQueue }).catch(explain) : undefined;
  return {
    ledger: bound.ledger,
    store: bound.store,
    searchIndex: bound.searchIndex,
    queues: { ...perQueue((name) => bound[queueService(name)]), ...(ofFeed && { feed: ofFeed.feedQueue }) },
    waitingWrites: bound.parkedWrites,
    copyOfSql: (url) => copyFrom(url, bound.database),
    reindexing: new OpensearchReindexing(bound.searchCluster, bound.store),
    close: async () => undefined,
  };
}

/** Copies the database at the URL, in which the users have the same passwords because it was restored from a backup. */
async function* copyFrom(url: string, to: Parameters<typeof copyDatabase>[1]): AsyncGenerator<CopyStep> {
  const login = () => readDatabaseLogin(process.env.MYSQL_SECRET ?? '');
  const from = openMysql(url, { connections: 1, timeouts: limits.sqlMs.work, login });
  try {
    yield* copyDatabase(from, to);
  } finally {
    await from.destroy();
  }
}

/** Opens the system that script/stack deployed from this checkout. */
export async function openStack(): Promise<OpsServices> {
  // The clients of the AWS SDK read their endpoint and credentials from the environment.
  Object.assign(process.env, await functionsEnvironment(currentProvider().servers));
  return openAws();
}
