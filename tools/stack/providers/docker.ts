import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { CommandProblem } from '../../cli/problem.ts';
import { project } from '../../cli/project.ts';
import { makeFolder, stackFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
import type { Provider } from '../provider.ts';
import { run } from '../run.ts';
import type { Ports } from '../settings.ts';
import { succeeds } from '../tools.ts';

const composeFile = path.join(project, 'docker-compose.localstack.yml');
const environmentFile = path.join(stackFolder, 'docker.env');

/**
 * The Compose project of this checkout's containers, networks and volumes. It differs from those of other checkouts.
 */
const composeProject = `chat-system-${createHash('sha256').update(project).digest('hex').slice(0, 8)}`;

/** Returns whether a Docker engine responds and Compose is installed. */
export const dockerResponds = async (): Promise<boolean> =>
  (await succeeds('docker', 'info')) && (await succeeds('docker', 'compose', 'version'));

/** The servers as containers of docker-compose.localstack.yml. */
export function dockerProvider(ports: Ports, mysqlPassword: string): Provider {
  const compose: [string, ...string[]] = [
    ...(['docker', 'compose', '--file', composeFile] as const),
    ...['--project-name', composeProject, '--env-file', environmentFile],
  ];
  const writeEnvironment = () => {
    makeFolder(stackFolder);
    const lines = {
      AWS_PORT: ports.aws,
      MYSQL_PORT: ports.mysql,
      OPENSEARCH_PORT: ports.opensearch,
      MYSQL_PASSWORD: mysqlPassword,
      LAMBDA_NETWORK: `${composeProject}_default`,
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(environmentFile, text.join(''), { mode: 0o600 });
  };
  const parts = [
    { name: 'localstack', address: `http://${loopback}:${ports.aws}` },
    { name: 'mysql', address: `mysql://chat@${loopback}:${ports.mysql}/chat` },
    { name: 'opensearch', address: `http://${loopback}:${ports.opensearch}` },
  ] as const;
  const [aws, mysql, opensearch] = parts;
  return {
    name: 'docker',
    servers: {
      awsEndpoint: aws.address,
      mysqlUrl: mysql.address,
      opensearchUrl: opensearch.address,
      mysqlPassword,
      // LocalStack's free edition has no AppSync.
      hasFeed: false,
      // LocalStack runs functions in containers that join the network of these containers.
      fromFunctions: { mysqlUrl: 'mysql://chat@mysql:3306/chat', opensearchUrl: 'http://opensearch:9200' },
    },
    check: async () => {
      if (!(await dockerResponds()))
        throw new CommandProblem(
          'No Docker engine with Compose responds: start one (docker info says what is wrong), or use --provider native.',
        );
    },
    steps: [
      {
        title: 'Containers (LocalStack, MySQL, OpenSearch)',
        run: async (say) => {
          writeEnvironment();
          await run([...compose, 'up', '--detach', '--wait'], { say });
        },
      },
    ],
    parts: async () => {
      writeEnvironment();
      // Without an engine, no container runs.
      const text = (await dockerResponds()) ? await run([...compose, 'ps', '--format', 'json']) : '';
      const running = new Set(containers.parse(text).map(({ Service }) => Service));
      return parts.map(({ name, address }) => ({ name, address, running: running.has(name) }));
    },
    printLogs: async (part, lines, follow) => {
      const args = ['logs', '--tail', String(lines), ...(follow ? ['--follow'] : []), ...(part ? [part] : [])];
      const [file, ...before] = compose;
      await once(spawn(file, [...before, ...args], { stdio: 'inherit' }), 'close');
    },
    stop: async () => {
      writeEnvironment();
      await run([...compose, 'down']);
    },
    deleteData: async () => {
      await run([...compose, 'down', '--volumes']);
    },
  };
}

/** The running containers. Compose prints one line of JSON for each; older versions print one list. */
const containers = z.preprocess(
  (text) => {
    const trimmed = String(text).trim();
    return trimmed.startsWith('[')
      ? JSON.parse(trimmed)
      : trimmed
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line));
  },
  z
    .array(z.object({ Service: z.string(), State: z.string() }))
    .transform((all) => all.filter(({ State }) => State === 'running')),
);
