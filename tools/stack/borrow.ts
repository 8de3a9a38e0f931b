import { settle } from './choosing.ts';
import { stackFolder } from './folders.ts';
import { locked } from './lock.ts';
import type { Provider } from './provider.ts';
import { findServers } from './tools.ts';
import { bringUp } from './up.ts';
import { readWanted } from './wanted.ts';

/** The servers of this checkout's stack, as long as a program needs them. */
export interface BorrowedStack {
  awsEndpoint: string;
  /** Of a user who may make databases, with the password. */
  mysqlUrl: string;
  opensearchUrl: string;
  /** Leaves what was up before as it was, and ends the rest. */
  giveBack: () => Promise<void>;
}

/**
 * Brings up this checkout's stack, as `script/stack up --services-only` does.
 *
 * @param say is told what was chosen, and what is waited for
 * @param prepare what else is to be done before another script/stack may go to work
 */
export async function borrowStack(
  say: (line: string) => void,
  prepare: (provider: Provider) => Promise<void> = async () => undefined,
): Promise<BorrowedStack> {
  findServers();
  const alone = <Result>(work: () => Promise<Result>) =>
    locked(stackFolder, work, () => say('Another script/stack is at work for this checkout; waiting.'));
  return alone(async () => {
    const provider = await settle(readWanted({}, process.env), say);
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
      giveBack: async () => {
        if (!wasUp) await alone(() => provider.stop());
      },
    };
  });
}
