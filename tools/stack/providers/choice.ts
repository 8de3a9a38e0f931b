import type { Provider, ProviderName } from '../provider.ts';
import type { Settings, Wanted } from '../settings.ts';
import { dockerProvider } from './docker.ts';
import { externalProvider } from './external.ts';
import { nativeProvider } from './native.ts';

/** A provider's name, and why it is that one. */
export interface Choice {
  name: ProviderName;
  reason: string;
}

/**
 * Which provider to use: the one asked for; servers of one's own where all three are given; the one of the time before;
 * Docker where an engine answers.
 */
export async function chooseProvider(
  { provider, external }: Wanted,
  before: Settings | undefined,
  dockerAnswers: () => Promise<boolean>,
): Promise<Choice> {
  if (provider) return { name: provider, reason: 'as asked' };
  if (external && !isOwn(external, before))
    return { name: 'external', reason: 'AWS_ENDPOINT_URL, MYSQL_URL and OPENSEARCH_URL are set' };
  if (before) return { name: before.provider, reason: 'as before; --provider changes it' };
  return (await dockerAnswers())
    ? { name: 'docker', reason: 'a Docker engine answers' }
    : { name: 'native', reason: 'no Docker engine with Compose answers' };
}

/** A shell that was set to use this checkout's own stack shall not make it a foreign one. */
function isOwn({ awsEndpoint, opensearchUrl }: NonNullable<Wanted['external']>, before: Settings | undefined): boolean {
  if (!before || before.provider === 'external') return false;
  const { servers } = providerOf(before);
  const same = (one: string, other: string) => new URL(one).host === new URL(other).host;
  return same(awsEndpoint, servers.awsEndpoint) && same(opensearchUrl, servers.opensearchUrl);
}

/** The provider of settings that were chosen. */
export function providerOf(settings: Settings): Provider {
  if (settings.provider === 'docker') return dockerProvider(settings.ports, settings.mysqlPassword);
  if (settings.provider === 'native') return nativeProvider(settings.ports, settings.mysqlPassword);
  return externalProvider(settings.external);
}
