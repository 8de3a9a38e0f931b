import { settle } from '../../stack/choosing.ts';
import { credentials } from '../../stack/credentials.ts';
import { readDeployment } from '../../stack/deployment.ts';
import { stackFolder } from '../../stack/folders.ts';
import { locked } from '../../stack/lock.ts';
import { findServers } from '../../stack/tools.ts';
import { bringUp, deployTo } from '../../stack/up.ts';
import { readWanted } from '../../stack/wanted.ts';

/**
 * Brings up this checkout's stack, as script/stack up does, and tells the tests where it is. What was up before is left so
 * afterwards.
 */
export async function setup(): Promise<() => Promise<void>> {
  findServers();
  const alone = <Result>(work: () => Promise<Result>) =>
    locked(stackFolder, work, () => console.log('Another script/stack is at work for this checkout; waiting.'));
  const { provider, wasUp } = await alone(async () => {
    const chosen = await settle(readWanted({}, process.env), console.log);
    const before = await chosen.parts();
    await bringUp(chosen);
    await deployTo(chosen, false);
    return { provider: chosen, wasUp: before.some(({ running }) => running) };
  });

  const { awsEndpoint, mysqlUrl, mysqlPassword, opensearchUrl } = provider.servers;
  const mysql = new URL(mysqlUrl);
  mysql.password = mysqlPassword;
  Object.assign(process.env, credentials, {
    AWS_ENDPOINT_URL: awsEndpoint,
    MYSQL_URL: mysql.href,
    OPENSEARCH_URL: opensearchUrl,
    CHAT_SYSTEM_URL: readDeployment()?.url,
  });
  return async () => {
    if (!wasUp) await alone(() => provider.stop());
  };
}
