import { expect, test } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { consume, places } from '../support/client/consumers.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, startHost } from '../support/servers/host.ts';

const rounds = 20;
/** The rounds of the consumer after which something happens. */
const killedAfter = [4, 14];
const revokedAfter = 9;

test.each(places)(
  'in %s, the client sends exactly once and misses nothing while its host is killed and its token revoked',
  async (place) => {
    const dataDir = dataFolder();
    let host: Host = await hostOf(startHost(dataDir));
    const { url } = host;
    const { token } = await new ChatSystem({ url }).createApplication('Some application');
    const timesLive = (statuses: readonly string[]) => statuses.filter((status) => status === 'live').length;
    const afterRound = async (round: number, statuses: readonly string[]) => {
      if (round === revokedAfter) await new ChatSystem({ url, token }).endAccessTokens();
      if (!killedAfter.includes(round) && round !== rounds - 1) return;
      // However slow the machine is, the follower is live before each kill, and again after the last one.
      const before = killedAfter.filter((kill) => kill < round).length;
      await expect.poll(() => timesLive(statuses), { timeout: 30_000 }).toBeGreaterThan(before);
      if (!killedAfter.includes(round)) return;
      await host.stop('SIGKILL');
      host = await hostOf(startHost(dataDir, '--port', new URL(url).port));
    };
    const { tokens, statuses } = await consume(place, { url, token, rounds, afterRound });
    expect(tokens).toBe(2);
    expect(timesLive(statuses), statuses.join()).toBeGreaterThan(killedAfter.length);
  },
);
