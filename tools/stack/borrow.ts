import { chooseAndSaveProvider } from './choosing.ts';
import { stackFolder } from './folders.ts';
import { locked } from './lock.ts';
import type { Provider } from './provider.ts';
import { addServerFoldersToPath } from './tools.ts';
import { bringUp } from './up.ts';
import { readWanted } from './wanted.ts';

/** The running servers of this checkout's stack. They run at least until `release` is called. */
export interface BorrowedStack {
  awsEndpoint: string;
  /** The URL with a user that may create databases, and with the password. */
  mysqlUrl: string;
  opensearchUrl: string;
  /** Stops the servers, unless they were up before. */
  release: () => Promise<void>;
}

/**
 * Starts this checkout's stack, as `script/stack up --services-only` does.
 *
 * @param say called with the choice of the provider, and when another process holds the lock
 * @param prepare additional work, done before another script/stack may run
 */
export async function borrowStack(
  say: (line: string) => void,
  prepare: (provider: Provider) => Promise<void> = async () => undefined,
): Promise<BorrowedStack> {
  addServerFoldersToPath();
  const alone = <Result>(work: () => Promise<Result>) =>
    locked(stackFolder, work, () => say('Another script/stack is running for this checkout; waiting.'));
  return alone(async () => {
    const provider = await chooseAndSaveProvider(readWanted({}, process.env), say);
    const wasUp = (await provider.parts()).some(({ running }) => running);
    await bringUp(provider);
    await prepare(provider);
    const { awsEndpoint, mysqlUrl, mysqlPassword, opensearchUrl } = provider.servers;
    const mysql = new URL(mysqlUrl);
    mysql.password = mysqlPassword;
    return {
      awsEndpoint,
      mysqlUrl: mysql.href,
      opensearchUrl,
      release: async () => {
        if (!wasUp) await alone(() => provider.stop());
      },
    };
  });
}
