import type { Provider, ProviderName } from '../provider.ts';
import type { Settings, Wanted } from '../settings.ts';
import { dockerProvider } from './docker.ts';
import { externalProvider } from './external.ts';
import { nativeProvider } from './native.ts';

/** A provider's name, and the reason for the choice. */
export interface Choice {
  name: ProviderName;
  reason: string;
}

/**
 * Chooses the provider: the one that the user named; otherwise external, if the environment names all three servers;
 * otherwise the one that was chosen before; otherwise docker, if an engine responds; otherwise native.
 */
export async function chooseProvider(
  { provider, external }: Wanted,
  before: Settings | undefined,
  dockerResponds: () => Promise<boolean>,
): Promise<Choice> {
  if (provider) return { name: provider, reason: 'as requested' };
  if (external && !isOwn(external, before))
    return { name: 'external', reason: 'AWS_ENDPOINT_URL, MYSQL_URL and OPENSEARCH_URL are set' };
  if (before) return { name: before.provider, reason: 'as before; --provider changes it' };
  return (await dockerResponds())
    ? { name: 'docker', reason: 'a Docker engine responds' }
    : { name: 'native', reason: 'no Docker engine with Compose responds' };
}

/**
 * Returns whether the servers are those of this checkout's own stack. A shell that is configured for that stack must
 * not make it an external one.
 */
function isOwn({ awsEndpoint, opensearchUrl }: NonNullable<Wanted['external']>, before: Settings | undefined): boolean {
  if (!before || before.provider === 'external') return false;
  const { servers } = providerOf(before);
  const same = (one: string, other: string) => new URL(one).host === new URL(other).host;
  return same(awsEndpoint, servers.awsEndpoint) && same(opensearchUrl, servers.opensearchUrl);
}

/** Returns the provider for the chosen settings. */
export function providerOf(settings: Settings): Provider {
  if (settings.provider === 'docker') return dockerProvider(settings.ports, settings.mysqlPassword);
  if (settings.provider === 'native') return nativeProvider(settings.ports, settings.mysqlPassword);
  return externalProvider(settings.external);
}
