import { once } from 'node:events';
import { connect } from 'node:net';
import { CommandProblem } from '../../cli/problem.ts';
import type { Provider } from '../provider.ts';
import type { ExternalServers } from '../settings.ts';

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443', 'mysql:': '3306' };

/** Timeout of a connection, in milliseconds. */
const connectMs = 3_000;

/** Servers that the user starts and stops. */
export function externalProvider(external: ExternalServers | undefined): Provider {
  if (!external)
    throw new CommandProblem(
      'The external provider needs AWS_ENDPOINT_URL, MYSQL_URL and OPENSEARCH_URL in the environment.',
    );
  const { awsEndpoint, opensearchUrl } = external;
  const mysql = new URL(external.mysqlUrl);
  const mysqlPassword = decodeURIComponent(mysql.password);
  mysql.password = '';
  const addresses = { mysqlUrl: mysql.href, opensearchUrl };
  const parts = [
    { name: 'aws', title: 'AWS', address: awsEndpoint },
    { name: 'mysql', title: 'SQL', address: mysql.href },
    { name: 'opensearch', title: 'Search', address: opensearchUrl },
  ];
  return {
    name: 'external',
    // Whether this emulator has AppSync is unknown, and most emulators have none, so the feed is off.
    servers: { ...addresses, awsEndpoint, mysqlPassword, hasFeed: false, fromFunctions: addresses },
    check: async () => undefined,
    steps: parts.map(({ title, address }) => ({
      title,
      run: async () => {
        if (!(await accepts(address)))
          throw new CommandProblem(`No server responds at ${address}: start it and try again.`);
      },
    })),
    parts: () =>
      Promise.all(parts.map(async ({ name, address }) => ({ name, address, running: await accepts(address) }))),
    printLogs: async () => console.error('script/stack did not start these servers, so it does not have their logs.'),
    stop: async () => undefined,
    deleteData: async () => undefined,
  };
}

/** Returns whether something accepts connections at the address. */
async function accepts(address: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(address);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || defaultPorts[protocol]),
    timeout: connectMs,
  });
  socket.on('timeout', () => socket.destroy(new Error('timeout')));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
