import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { faketime, faketimeLibrary } from '../../tools/stack/native/tools.ts';
import { requireTools } from '../../tools/stack/tools.ts';
import { Client } from '../support/client/client.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { type Host, launch, ready } from '../support/servers/host.ts';

// A host whose system clock is moved by libfaketime. Its monotonic clock stays that of the machine, as when an
// administrator sets the date.

/** Number of batches that are sent at once. Few of them are stored when the first is acknowledged. */
const batches = 4;
const batch = Array<string>(1_000).fill('x'.repeat(500));

beforeAll(() => requireTools([faketime]));

class MovedHost {
  readonly #dataDir = dataFolder();
  readonly #clockFile = path.join(dataFolder(), 'clock');
  host!: Host;
  client!: Client;

  moveClock(by: string): void {
    writeFileSync(this.#clockFile, by);
  }

  async start(): Promise<void> {
    const flags = ['--port', '0', '--data-dir', this.#dataDir, '--log-level', 'error'];
    const variables = {
      LD_PRELOAD: faketimeLibrary() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    this.host = await hostOf(ready(launch(flags, variables)));
    this.client = await Client.connect(this.host.url);
  }

  /**
   * Sends the batches at once, calls `act` when the first is acknowledged, and returns the last numbers of all
   * acknowledged batches.
   */
  async sendAnd(act: () => void, chat: string): Promise<number[]> {
    const sent = Array.from({ length: batches }, () => this.client.send(chat, ...batch));
    await Promise.race(sent);
    act();
    const settled = await Promise.allSettled(sent);
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.at(-1) as number] : []));
  }

  async isStored(chat: string, numbers: number[]): Promise<void> {
    for (const number of numbers)
      await expect
        .poll(async () => (await this.client.get(`${chat}/messages/${number}`)).status, { timeout: 30_000 })
        .toBe(200);
  }
}

test.skipIf(process.platform !== 'linux')(
  'every accepted message is stored at once, even if the system clock is set back or forward before a start or while running',
  async () => {
    const moved = new MovedHost();
    moved.moveClock('+0');
    await moved.start();
    const chat = await moved.client.newChat();
    for (const by of ['+40d', '-1h', '+1h', '-40d']) {
      const running = await moved.sendAnd(() => moved.moveClock(by), chat);
      expect(running).toHaveLength(batches);
      await moved.isStored(chat, running);
    }
    for (const by of ['+40d', '+1h']) {
      const answered = await moved.sendAnd(() => moved.host.process.kill('SIGKILL'), chat);
      expect(answered).not.toEqual([]);
      await moved.host.ended;
      expect(moved.host.stderr()).toBe('');
      moved.moveClock(by);
      await moved.start();
      await moved.isStored(chat, answered);
    }
    expect(await moved.host.stop()).toBe(0);
    expect(moved.host.stderr()).toBe('');
  },
);
