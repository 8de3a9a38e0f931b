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
  /** The password of the SQL user on this checkout's own server. */
  mysqlPassword: z.string().min(1),
  external: externalServers.optional(),
});

/** The choices for this checkout. They are kept until the user chooses otherwise. */
export type Settings = z.output<typeof settings>;

/** The choices that the user made on the command line or in the environment. */
export interface Wanted {
  provider?: ProviderName | undefined;
  ports: { [Server in keyof Ports]?: number | undefined };
  external?: ExternalServers | undefined;
}

/**
 * Returns the choices for this checkout; undefined before its first `up`.
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
    throw new CommandProblem(`${file} is damaged: remove it, and the next script/stack up writes a new one.`);
  }
}

/** Saves the choices, in a file that only this user can read because it contains a password. */
export function saveSettings(chosen: Settings): void {
  makeFolder(stackFolder);
  writeFileSync(file, `${JSON.stringify(chosen, undefined, 2)}\n`, { mode: 0o600 });
}

/**
 * Returns the choices for a checkout: those of the user, otherwise the earlier ones, otherwise free ports and a new
 * password.
 */
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
