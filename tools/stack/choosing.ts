import { isDeepStrictEqual } from 'node:util';
import { CommandProblem } from '../cli/problem.ts';
import { requireLoopback } from './endpoint.ts';
import type { Provider } from './provider.ts';
import { chooseProvider, providerOf } from './providers/choice.ts';
import { dockerResponds } from './providers/docker.ts';
import { choose, readSettings, saveSettings, type Wanted } from './settings.ts';

/**
 * Chooses the provider for this checkout, from the user's choices and the earlier ones, and saves the choice.
 *
 * @param tell called with the choice and its reason
 * @throws CommandProblem when servers of an earlier choice are still running, or this machine cannot run the chosen
 *   provider
 */
export async function chooseAndSaveProvider(wanted: Wanted, tell: (line: string) => void): Promise<Provider> {
  const before = readSettings();
  const { name, reason } = await chooseProvider(wanted, before, dockerResponds);
  tell(`Provider: ${name} (${reason})`);
  const chosen = await choose(wanted, before, name);
  if (isDeepStrictEqual(chosen, before)) return providerOf(chosen);
  if (before && before.provider !== 'external') {
    const running = (await providerOf(before).parts()).filter((part) => part.running);
    if (running.length > 0)
      throw new CommandProblem(
        `Servers of an earlier choice are still running (${running.map(({ name: part, address }) => `${part} at ${address}`).join(', ')}): run script/stack down first.`,
      );
  }
  const provider = providerOf(chosen);
  // Do not save a choice that cannot be started.
  requireLoopback(provider.servers.awsEndpoint);
  await provider.check();
  saveSettings(chosen);
  return provider;
}

/** The message for a command that needs servers, before the first `up`. */
export const nothingUp = 'Nothing is up for this checkout: run script/stack up.';

/** Returns the chosen provider. @throws CommandProblem before the first `up` */
export function currentProvider(): Provider {
  const chosen = readSettings();
  if (!chosen) throw new CommandProblem(nothingUp);
  return providerOf(chosen);
}
