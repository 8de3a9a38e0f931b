import { expect, test } from 'vitest';
import { ChatSystem } from '../../client/src/index.ts';
import { consume, places } from '../support/client/consumers.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, startHost } from '../support/servers/host.ts';

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
    const afterRound = async (round: number) => {
      if (round === revokedAfter) await new ChatSystem({ url, token }).endAccessTokens();
      if (!killedAfter.includes(round)) return;
      await host.stop('SIGKILL');
      host = await hostOf(startHost(dataDir, '--port', new URL(url).port));
    };
    const { tokens, statuses } = await consume(place, { url, token, rounds: 20, afterRound });
    expect(tokens).toBe(2);
    // On a busy machine, the second kill may come before the follower is live again.
    expect(statuses.filter((status) => status === 'live').length, statuses.join()).toBeGreaterThan(1);
  },
);
