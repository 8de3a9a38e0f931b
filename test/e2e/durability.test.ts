import { randomInt } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../../tools/statistics/random.ts';
import { Client } from '../support/client/client.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';
import { launch, ready } from '../support/servers/host.ts';
import { Writers } from './writers.ts';

const kills = 10;
const clients = 16;

test(`${kills} kills at random moments lose no acknowledged write, and leave no gap, no duplicate and no partial write`, async () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  console.log(`durability: SEED=${seed} makes the same choices again`);
  const random = new Random(seed);
  const dataDir = dataFolder();
  const start = () => launch(['--port', '0', '--data-dir', dataDir, '--rollup-seconds', '1', '--log-level', 'error']);
  let host = await ready(start());
  onTestFinished(async () => {
    await host.stop('SIGKILL');
  });
  const writers = await Writers.on(await Client.connect(host.url), random);

  for (let kill = 1; kill <= kills; kill++) {
    const stop = { now: false };
    const writing = writers.write(clients, stop);
    // This waits for no condition: it chooses the moment of the kill.
    await passes(random.between(1, 350));
    host.process.kill('SIGKILL');
    stop.now = true;
    await Promise.all([writing, host.ended]);
    if (random.chance(0.25)) {
      const starting = start();
      await passes(random.between(1, 500));
      await starting.stop('SIGKILL');
    }
    host = await ready(start());
    writers.url = host.url;
    await writers.repeat();
  }

  await writers.confirm(await Client.connect(host.url));
  expect(writers.texts, 'the writers wrote enough texts').toBeGreaterThan(20 * kills);
});
