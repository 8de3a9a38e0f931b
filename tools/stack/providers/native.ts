import { rmSync } from 'node:fs';
import path from 'node:path';
import { CommandProblem } from '../../cli/problem.ts';
import { dataFolder } from '../folders.ts';
import { printLogFiles } from '../log-files.ts';
import { mariadb } from '../native/mariadb.ts';
import { ministack } from '../native/ministack.ts';
import { opensearch } from '../native/opensearch.ts';
import { nativeTools } from '../native/tools.ts';
import { isTaken, loopback } from '../ports.ts';
import type { Provider } from '../provider.ts';
import { launch, logFile, runningPid, stopServer, untilReady } from '../server-process.ts';
import type { Ports } from '../settings.ts';
import { requireTools } from '../tools.ts';

/** The servers as processes on this machine, without Docker. */
export function nativeProvider({ aws, mysql, opensearch: search }: Ports, mysqlPassword: string): Provider {
  const addresses = {
    mysqlUrl: `mysql://chat@${loopback}:${mysql}/chat`,
    opensearchUrl: `http://${loopback}:${search}`,
  };
  const awsEndpoint = `http://${loopback}:${aws}`;

  const folder = (name: string) => path.join(dataFolder, name);
  const parts = [
    {
      name: 'ministack',
      title: 'AWS (MiniStack)',
      port: aws,
      flag: '--aws-port',
      address: awsEndpoint,
      data: folder('ministack'),
      server: ministack(folder('ministack'), aws),
    },
    {
      name: 'mariadb',
      title: 'SQL (MariaDB)',
      port: mysql,
      flag: '--mysql-port',
      address: addresses.mysqlUrl,
      data: folder('mariadb'),
      server: mariadb(folder('mariadb'), mysql, mysqlPassword),
    },
    {
      name: 'opensearch',
      title: 'Search (OpenSearch)',
      port: search,
      flag: '--opensearch-port',
      address: addresses.opensearchUrl,
      data: folder('opensearch'),
      server: opensearch(folder('opensearch'), search),
    },
  ];

  return {
    name: 'native',
    // serve-ministack.py adds AppSync Events to the emulator's CloudFormation.
    servers: { ...addresses, awsEndpoint, mysqlPassword, hasFeed: true, fromFunctions: addresses },
    check: async () => {
      if (process.platform !== 'linux')
        throw new CommandProblem(
          'Without Docker, the servers run on Linux only: start Docker, or use your own servers (--provider external).',
        );
      await requireTools(nativeTools);
      for (const { name, title, port, flag } of parts)
        if (runningPid(name) === undefined && (await isTaken(port)))
          throw new CommandProblem(
            `Port ${port} of ${title} is in use by another program: stop that program, or choose another port with ${flag}.`,
          );
    },
    steps: parts.map(({ name, title, server }) => ({
      title,
      run: async (say) => {
        // Do not start a running server again, but wait for it, because it may still be starting.
        if (runningPid(name) === undefined) {
          const prepared = await server.prepare(say);
          say('Starting');
          await launch(name, prepared);
        }
        await untilReady(name, server.ready);
      },
    })),
    parts: async () =>
      parts.map(({ name, address, data }) => {
        const pid = runningPid(name);
        return { name, running: pid !== undefined, address, pid, data, log: logFile(name) };
      }),
    printLogs: (part, lines, follow) =>
      printLogFiles(
        parts
          .filter(({ name }) => part === undefined || name === part)
          .map(({ name }) => ({ name, file: logFile(name) })),
        lines,
        follow,
      ),
    stop: async () => {
      await Promise.all(parts.map(({ name }) => stopServer(name)));
    },
    deleteData: async () => rmSync(dataFolder, { recursive: true, force: true }),
  };
}
