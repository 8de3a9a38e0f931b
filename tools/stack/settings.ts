import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { CommandProblem } from '../cli/problem.ts';
import { makeFolder, stackFolder } from './folders.ts';
import { freePort } from './ports.ts';
import { type ProviderName, providerNames } from './provider.ts';

const file = path.join(stackFolder, 'settings.json');

const port = z.number().int().min(1).max(65_535);
const ports = z.object({ aws: port, mysql: port, opensearch: port });
export type Ports = z.output<typeof ports>;

const externalServers = z.object({ awsEndpoint: z.url(), mysqlUrl: z.url(), opensearchUrl: z.url() });
export type ExternalServers = z.output<typeof externalServers>;

const settings = z.object({
  provider: z.enum(providerNames),
  ports,
  /** Of the SQL user, where this checkout's own server has one. */
  mysqlPassword: z.string().min(1),
  external: externalServers.optional(),
});

/** What was chosen for this checkout; it stays until it is chosen otherwise. */
export type Settings = z.output<typeof settings>;

/** What was asked for on the command line or in the environment. */
export interface Wanted {
  provider?: ProviderName | undefined;
  ports: { [Server in keyof Ports]?: number | undefined };
  external?: ExternalServers | undefined;
}

/**
 * What was chosen for this checkout; undefined before its first `up`.
 *
 * @throws CommandProblem when the file is damaged
 */
export function readSettings(): Settings | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return settings.parse(JSON.parse(text));
  } catch {
    throw new CommandProblem(`${file} can't be read: remove it, and the next script/stack up chooses anew.`);
  }
}

/** Keeps the choice; the file holds a password. */
export function keepSettings(chosen: Settings): void {
  makeFolder(stackFolder);
  writeFileSync(file, `${JSON.stringify(chosen, undefined, 2)}\n`, { mode: 0o600 });
}

/** The choice for a checkout: what is asked for, else what was chosen before, else what is found. */
export async function choose(wanted: Wanted, before: Settings | undefined, provider: ProviderName): Promise<Settings> {
  const external = wanted.external ?? before?.external;
  return {
    provider,
    ports: {
      aws: wanted.ports.aws ?? before?.ports.aws ?? (await freePort()),
      mysql: wanted.ports.mysql ?? before?.ports.mysql ?? (await freePort()),
      opensearch: wanted.ports.opensearch ?? before?.ports.opensearch ?? (await freePort()),
    },
    mysqlPassword: before?.mysqlPassword ?? randomBytes(18).toString('base64url'),
    ...(external && { external }),
  };
}
