import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { fileHashes } from '../support/basics/folder.ts';
import { timed } from '../support/basics/timed.ts';
import { type ApplicationPage, Client, type Message } from '../support/client/client.ts';
import { RawConnection } from '../support/client/raw-http.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { launch, newDataDir, ready, removeDataDir, startHost } from '../support/servers/host.ts';
import '../support/client/problem-matcher.ts';

const waiting = { timeout: 30_000, interval: 50 };

/**
 * Starts a host that must fail. Expects one sentence without a stack trace, and returns the sentence.
 */
async function refusal(flags: string[], variables: Record<string, string> = {}, expected = 1): Promise<string> {
  const launched = launch(flags, variables);
  // A host that starts or hangs is a failure, so the test does not wait for its end.
  const tooLong = setTimeout(() => launched.stop('SIGKILL'), 10_000);
  const status = await launched.ended;
  clearTimeout(tooLong);
  expect(status, launched.stderr()).toBe(expected);
  expect(launched.stdout()).toBe('');
  const stderr = launched.stderr();
  expect(stderr).toMatch(/^[^\n]+\.\n$/);
  expect(stderr).not.toMatch(/Error:| {4}at |node:internal|\.ts:\d/);
  return stderr;
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

describe('a start', () => {
  test('a start creates the data folder, and prints its path, the API, the docs and a working curl command', async () => {
    const folder = path.join(dataFolder(), 'not', 'there', 'yet');
    const { url, stdout, stderr } = await hostOf(startHost(folder));
    expect(url).toMatch(/^http:\/\/localhost:\d+\/v1$/);
    expect(stdout()).toContain(`${url}/docs`);
    expect(stdout()).toContain(`${url}/console`);
    expect(stdout()).toContain(folder);
    expect(existsSync(folder)).toBe(true);
    expect(stdout()).toContain('any program on this machine may create and list applications');
    expect(stdout()).toContain(
      'problems, and a summary every minute while there is traffic; --log-level debug prints a line for each request',
    );
    expect(stderr()).toBe('');
    const command = /^ *(curl .+)$/m.exec(stdout())?.[1] ?? '';
    const { stdout: answer } = await promisify(execFile)('sh', ['-c', `${command} --silent --include`]);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
    const docs = await fetch(`${url}/docs`);
    expect(docs.status).toBe(200);
  });

  test('a start warns exactly when anyone on the network can create and list applications', async () => {
    const warning = 'anyone on the network can create and list applications';
    const flags = ['--host', '0.0.0.0'];
    expect((await hostOf(startHost(dataFolder(), ...flags))).stdout()).toContain(warning);
    expect((await hostOf(startHost(dataFolder(), ...flags, '--admin-key', 'k'))).stdout()).not.toContain(warning);
    expect((await hostOf(startHost(dataFolder()))).stdout()).not.toContain(warning);
  });

  test('a second start takes less than two seconds, and finds everything that was written', async () => {
    const folder = dataFolder();
    const first = await hostOf(startHost(folder));
    const client = await Client.connect(first.url);
    const chat = await client.newChat();
    await client.send(chat, 'Still here');
    expect(await first.stop()).toBe(0);
    // Takes the best of several starts, because other tests use the machine at the same time. Before each, it starts
    // Node.js alone. Where that takes longer than the usual 50 ms, the start may take as many times longer.
    const times: number[] = [];
    let second = first;
    while (times.length < 8 && !times.some((ms) => ms < 2_000)) {
      await second.stop();
      const startAlone = promisify(execFile)(process.execPath, ['--eval', '0']);
      const slowness = Math.max(1, (await timed(startAlone)).ms / 50);
      const { result, ms } = await timed(hostOf(startHost(folder)));
      second = result;
      times.push(ms / slowness);
    }
    expect(Math.min(...times)).toBeLessThan(2_000);
    const again = await Client.connect(second.url);
    await expect
      .poll(async () => (await again.get<Message>(`${chat}/messages/1`)).body.body, waiting)
      .toBe('Still here');
  });

  test('a start with --help prints all settings and their variables, and starts nothing', async () => {
    const folder = path.join(dataFolder(), 'none');
    const { ended, stdout, stderr } = launch(['--help', '--data-dir', folder]);
    expect(await ended).toBe(0);
    const settings = {
      port: 'PORT',
      host: 'HOST',
      'data-dir': 'DATA_DIR',
      'admin-key': 'ADMIN_KEY',
      'log-level': 'LOG_LEVEL',
      'rollup-seconds': 'ROLLUP_SECONDS',
    };
    for (const [name, variable] of Object.entries(settings)) {
      expect(stdout()).toContain(`--${name} `);
      expect(stdout()).toMatch(new RegExp(`\\b${variable}\\b`));
    }
    expect(stdout()).toContain('127.0.0.1');
    expect(stdout()).toContain('3000');
    expect(stderr()).toBe('');
    expect(existsSync(folder)).toBe(false);
  });

  test('a start takes its settings from the environment, and a flag has precedence', async () => {
    const [folder, other] = [dataFolder(), path.join(dataFolder(), 'other')];
    const port = await freePort();
    const variables = {
      PORT: String(port),
      HOST: '127.0.0.1',
      DATA_DIR: folder,
      ADMIN_KEY: 'key',
      LOG_LEVEL: 'silent',
      ROLLUP_SECONDS: '1',
    };
    const byEnvironment = await hostOf(ready(launch([], variables)));
    expect(byEnvironment.url).toBe(`http://localhost:${port}/v1`);
    expect(byEnvironment.stdout()).toContain(folder);
    expect((await fetch(`${byEnvironment.url}/applications`)).status).toBe(401);

    const flags = ['--port', '0', '--data-dir', other, '--admin-key', 'rather', '--rollup-seconds', '3600'];
    const byFlag = await hostOf(ready(launch(flags, variables)));
    expect(byFlag.url).not.toBe(byEnvironment.url);
    expect(byFlag.stdout()).toContain(other);
    const status = async (key: string) =>
      (await fetch(`${byFlag.url}/applications`, { headers: { 'x-api-key': key } })).status;
    expect([await status('key'), await status('rather')]).toEqual([401, 200]);
  });
});

describe('an invalid setting', () => {
  test.each<[flag: string, variable: string, value: string, another?: string]>([
    ['--port', 'PORT', 'http', '65536'],
    ['--host', 'HOST', 'no-such-host.invalid', '192.0.2.1'],
    ['--data-dir', 'DATA_DIR', ''],
    ['--admin-key', 'ADMIN_KEY', ''],
    ['--log-level', 'LOG_LEVEL', 'loud'],
    ['--rollup-seconds', 'ROLLUP_SECONDS', '0', '3601'],
  ])(
    'an invalid setting is refused with a sentence that names it, as a variable and as a flag: %s',
    async (flag, variable, value, another) => {
      const folder = path.join(dataFolder(), 'none');
      const others = { PORT: '0', DATA_DIR: folder };
      // Only the system knows which addresses exist, so that is no wrong usage.
      const status = flag === '--host' ? 1 : 2;
      expect(await refusal([], { ...others, [variable]: value }, status)).toContain(flag);
      if (another !== undefined) expect(await refusal([`${flag}=${another}`], others, status)).toContain(flag);
      expect(existsSync(folder)).toBe(false);
    },
  );

  test('all invalid settings are named at once', async () => {
    const stderr = await refusal(
      ['--port', 'x', '--rollup-seconds', '0', '--log-level', 'loud', '--data-dir', ''],
      {},
      2,
    );
    for (const flag of ['--port', '--rollup-seconds', '--log-level', '--data-dir']) expect(stderr).toContain(flag);
  });

  test.each([
    ['an unknown flag', ['--colour', 'red'], '--colour'],
    ['a flag without its value', ['--port'], '--port'],
    ['an argument', ['serve'], 'argument'],
  ])('a wrong usage is refused and refers to the help: %s', async (_what, flags, named) => {
    const stderr = await refusal(['--data-dir', path.join(dataFolder(), 'none'), ...flags], {}, 2);
    expect(stderr).toContain(named);
    expect(stderr).toContain('--help');
  });
});

test('a start on a busy port is refused and creates nothing', async () => {
  const folder = path.join(dataFolder(), 'none');
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stderr = await refusal(['--port', String(port), '--data-dir', folder]);
  expect(stderr).toContain(String(port));
  expect(stderr).toContain('in use');
  expect(existsSync(folder)).toBe(false);
});

describe('an unusable data folder', () => {
  test.each([
    ['is a file', (folder: string) => folder],
    ['lies below a file', (folder: string) => path.join(folder, 'below')],
  ])('a data folder is refused when it %s', async (_what, place) => {
    const file = path.join(dataFolder(), 'file');
    writeFileSync(file, 'in the way');
    const stderr = await refusal(['--port', '0', '--data-dir', place(file)]);
    expect(stderr).toContain(place(file));
    expect(readFileSync(file, 'utf8')).toBe('in the way');
  });

  test('a data folder is refused when it cannot be written', async () => {
    const stderr = await refusal(['--port', '0', '--data-dir', '/proc/chat-system']);
    expect(stderr).toContain('/proc/chat-system');
  });

  test('a data folder is refused when another running host uses it, and that host continues', async () => {
    const folder = dataFolder();
    const { url } = await hostOf(startHost(folder));
    const client = await Client.connect(url);
    const chat = await client.newChat();
    await client.send(chat, 'Before');
    await expect
      .poll(async () => (await client.get(`${chat}/messages/search?q=before`)).body, waiting)
      .toMatchObject({ total: 1 });
    const before = Object.keys(fileHashes(folder) ?? {});
    const stderr = await refusal(['--port', '0', '--data-dir', folder]);
    expect(stderr).toContain(folder);
    expect(stderr).toContain('in use');
    expect(Object.keys(fileHashes(folder) ?? {})).toEqual(before);
    await client.send(chat, 'After');
    await expect.poll(async () => (await client.get(`${chat}/messages/2`)).status, waiting).toBe(200);
  });
});

test('a cursor is valid after a restart, and a start with a damaged system secret is refused', async () => {
  const folder = dataFolder();
  const first = await startHost(folder);
  const client = await Client.connect(first.url);
  for (const name of ['one', 'two']) await client.newApplication(name);
  const page = () => client.get<ApplicationPage>('/applications?limit=1');
  await expect.poll(async () => (await page()).body.next, waiting).not.toBeNull();
  const { next } = (await page()).body;
  await first.stop();

  const second = await startHost(folder);
  const again = await Client.connect(second.url);
  expect((await again.get<ApplicationPage>(`/applications?limit=1&cursor=${next}`)).body.data).toHaveLength(1);
  await second.stop();

  writeFileSync(path.join(folder, 'system-secret'), 'damaged');
  const stderr = await refusal(['--port', '0', '--data-dir', folder]);
  expect(stderr).toMatch(/^The system secret \S+system-secret is damaged; restore it, or delete it /);
  expect(readFileSync(path.join(folder, 'system-secret'), 'utf8')).toBe('damaged');

  rmSync(path.join(folder, 'system-secret'));
  const third = await hostOf(startHost(folder));
  const other = await Client.connect(third.url);
  expect(await other.get(`/applications?limit=1&cursor=${next}`)).toBeProblem(422, 'validation_failed', 'cursor');
});

describe('a database', () => {
  /** The data folder of a host that was stopped, and the same folder after another host on it was killed. */
  let [stopped, killed] = ['', ''];
  beforeAll(async () => {
    [stopped, killed] = [newDataDir(), newDataDir()];
    const first = await startHost(stopped);
    const client = await Client.connect(first.url);
    const chat = await client.newChat();
    await client.send(chat, ...Array.from({ length: 1_000 }, (_, i) => `Some message ${i} of many`));
    await vi.waitFor(async () => {
      const { body } = await client.get(`${chat}/messages/search?q=message%20999%20of`);
      expect(body).toMatchObject({ total: 1 });
    }, waiting);
    await first.stop();

    cpSync(stopped, killed, { recursive: true });
    const second = await startHost(killed);
    const again = await Client.connect(second.url);
    await again.send(chat, 'The last');
    await vi.waitFor(async () => expect((await again.get(`${chat}/messages/1001`)).status).toBe(200), waiting);
    await second.stop('SIGKILL');
    return () => {
      for (const folder of [stopped, killed]) removeDataDir(folder);
    };
  });
  const copyOf = (folder: string): string => {
    const copy = dataFolder();
    cpSync(folder, copy, { recursive: true });
    return copy;
  };

  const overwrite = (file: string, at: number, bytes: Uint8Array) => {
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, bytes, 0, bytes.length, at);
  };
  const garbage = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 167 + 13) % 251);
  const damages: [what: string, damage: (file: string) => void][] = [
    ['has wrong bytes in the middle', (file) => overwrite(file, 4_096, garbage(statSync(file).size - 8_192))],
    ['is cut in half', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ['is not a database', (file) => writeFileSync(file, 'Dear diary, '.repeat(1_000))],
    ['is empty but the other is not', (file) => truncateSync(file, 0)],
    ['is missing but the other exists', (file) => rmSync(file)],
  ];

  describe.each(['ledger.db', 'store.db'])('%s', (name) => {
    test.each(damages)('a database is refused as damaged when it %s, and stays unchanged', async (_what, damage) => {
      const folder = copyOf(stopped);
      damage(path.join(folder, name));
      const before = fileHashes(folder);
      const stderr = await refusal(['--port', '0', '--data-dir', folder]);
      expect(stderr).toContain(path.join(folder, name));
      expect(fileHashes(folder)).toEqual(before);
    });

    test('a database is refused when it is a folder', async () => {
      const folder = copyOf(stopped);
      const file = path.join(folder, name);
      rmSync(file);
      mkdirSync(file);
      expect(await refusal(['--port', '0', '--data-dir', folder])).toContain(`${file} is a folder`);
    });

    test('a damaged database is refused after a kill too, and its journal is kept', async () => {
      const folder = copyOf(killed);
      const file = path.join(folder, name);
      overwrite(file, 0, garbage(statSync(file).size));
      // The third file of a database, -shm, holds no data: SQLite rebuilds it at every start.
      const kept = () => Object.entries(fileHashes(folder) ?? {}).filter(([each]) => !each.endsWith('-shm'));
      const before = kept();
      expect(before.map(([each]) => each)).toContain(`${name}-wal`);
      expect(await refusal(['--port', '0', '--data-dir', folder])).toContain('damaged');
      expect(kept()).toEqual(before);
    });
  });

  test.each([
    ['ledger.db', 'ledger_migrations'],
    ['ledger.db', 'queue_migrations'],
    ['store.db', 'store_migrations'],
    ['store.db', 'search_migrations'],
  ])('a database of a newer version is refused as such and stays unchanged: %s, %s', async (name, table) => {
    const folder = copyOf(stopped);
    const database = new DatabaseSync(path.join(folder, name));
    database.exec(`INSERT INTO ${table} (name, timestamp) VALUES ('999', '2036-01-01T00:00:00.000Z')`);
    database.close();
    const before = fileHashes(folder);
    const stderr = await refusal(['--port', '0', '--data-dir', folder]);
    expect(stderr).toContain(path.join(folder, name));
    expect(stderr).toContain('newer');
    expect(fileHashes(folder)).toEqual(before);
  });
});

describe('with an admin key', () => {
  test('with an admin key, only creating and listing applications need it', async () => {
    const started = await hostOf(startHost(dataFolder(), '--admin-key', 'open sesame'));
    const admin = await Client.connect(started.url, 'open sesame');
    const anyone = await Client.connect(started.url);
    expect(started.stdout()).toMatch(/^ *Admin .*need the admin key in x-api-key$/m);
    expect(started.stdout()).not.toContain('sesame');

    const refused = [401, 'admin_key_required'] as const;
    for (const key of [undefined, '', 'open', 'open sesame!', 'OPEN SESAME', 'ópen sesame']) {
      const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
      expect(await anyone.get('/applications', headers)).toBeProblem(...refused);
      expect(await anyone.post('/applications', { name: 'x' }, headers)).toBeProblem(...refused);
      expect((await anyone.head('/applications', headers)).status).toBe(401);
    }
    // The admin key is checked after the method and before everything else.
    expect(await anyone.delete('/applications')).toBeProblem(405, 'method_not_allowed');
    expect(await anyone.post('/applications', '{', { 'content-type': 'text/plain' })).toBeProblem(...refused);
    expect(await anyone.post('/applications', 'x'.repeat(1_048_577))).toBeProblem(...refused);
    expect(await anyone.post('/applications', {})).toBeProblem(...refused);
    expect(await anyone.get('/applications?limit=0')).toBeProblem(...refused);
    const unsent = await RawConnection.open(started.url);
    unsent.write('POST /v1/applications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n{');
    expect(await unsent.answer()).toBeProblem(...refused);
    unsent.socket.destroy();
    const application = await admin.newApplication();
    expect((await admin.get('/applications')).status).toBe(200);
    const chat = await anyone.newChat(application);
    await anyone.send(chat, 'Anyone with the token may');
    expect((await anyone.patch(application, { name: 'Renamed' })).status).toBe(200);
    expect((await anyone.call('OPTIONS', '/applications')).status).toBe(204);
    expect((await anyone.get('/health')).status).toBe(200);
  });

  test('with an admin key, the printed curl command works as it is', async () => {
    const variables = { PORT: '0', DATA_DIR: dataFolder(), ADMIN_KEY: 'it\'s "secret" $HOME' };
    const { stdout } = await hostOf(ready(launch([], variables)));
    const command = /^ *(curl .+)$/m.exec(stdout())?.[1] ?? '';
    const { stdout: answer } = await promisify(execFile)('sh', ['-c', `${command} --silent --include`], {
      env: { ...process.env, ...variables },
    });
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });
});

test.runIf(process.platform === 'linux')(
  'the server starts with a low priority that its user may not raise',
  async () => {
    const unprivileged =
      process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice'] : [];
    const start = path.resolve(import.meta.dirname, '../../local/start.ts');
    const [command = '', ...args] = [...unprivileged, 'nice', '-n', '10', process.execPath, start];
    const child = spawn(command, [...args, '--port', '0', '--data-dir', dataFolder()], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    // On a busy machine, a process with this priority waits for all others.
    await Promise.race([ended, vi.waitFor(() => expect(output).toContain('Ctrl-C'), { timeout: 90_000 })]);
    child.kill('SIGTERM');
    await ended;
    expect(output).toContain('Ctrl-C');
  },
);
