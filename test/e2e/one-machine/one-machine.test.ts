import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { project } from '../../support/servers/checkout.ts';
import { bootDebian, type Debian, refusalOfNamespaces, repositoryOfWorkingTree } from './debian.ts';

// The commands of docs/one-machine.md, run by root on a booted systemd, in the order of the document.

const text = readFileSync(path.join(project, 'docs/one-machine.md'), 'utf8');
const headings = ['Install', 'Backup', 'Upgrade', 'Rollback', 'Monitoring'];

/** Returns the shell commands in a section of the document, one text for each block. */
function commandsUnder(heading: string): string[] {
  const [section = ''] = (text.split(`\n## ${heading}\n`)[1] ?? '').split('\n## ');
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, commands]) => commands as string);
}

/** What the reader writes into the first block. Caddy issues the certificate of this name itself. */
const written = { REPOSITORY: '/srv/repository', DOMAIN: 'localhost' };
const variables = Object.entries(written)
  .map(([name, value]) => `${name}=${value}\n`)
  .join('');
const [first = '', ...install] = commandsUnder('Install');

// Namespaces need Linux and root, with the right to mount. The runner counts a skipped test as failed, so elsewhere there
// is no such test.
const isLinux = process.platform === 'linux';
const describeIf = (condition: boolean): typeof describe | (() => void) => (condition ? describe : () => undefined);
const refusal = isLinux && process.getuid?.() === 0 ? refusalOfNamespaces() : 'it needs Linux and root';
if (refusal !== undefined) console.log(`one machine: no systemd is booted: ${refusal}`);
const describeBooted = describeIf(refusal === undefined);
const describeOnLinux = describeIf(isLinux);

test('the document has shell commands only in the sections that this test runs', () => {
  expect(headings.flatMap(commandsUnder)).toHaveLength(text.split('\n```sh\n').length - 1);
  expect(first.replace(/=.*/g, '')).toBe('REPOSITORY\nDOMAIN\n');
});

describeBooted('the commands of docs/one-machine.md on a booted systemd', () => {
  let debian: Debian;
  let repository: string;
  const run = (commands: string) => debian.run(`${variables}${commands}`);
  const mainPid = () => run('systemctl show --property=MainPID --value chat-system');
  /** Curl's flags for a request with the admin key through Caddy. */
  const asAdmin = `. /etc/chat-system.env; curl --silent --show-error --fail https://localhost/v1/applications -H "x-api-key: $ADMIN_KEY"`;
  const names = async () => {
    const { data } = z.object({ data: z.array(z.object({ name: z.string() })) }).parse(JSON.parse(await run(asAdmin)));
    return data.map(({ name }) => name);
  };

  beforeAll(async () => {
    repository = repositoryOfWorkingTree();
    debian = await bootDebian(repository);
  });
  afterAll(async () => {
    await debian?.stop();
    rmSync(repository, { recursive: true, force: true });
  });

  test('the installation ends with an application that was created over HTTPS', async () => {
    let output = '';
    for (const commands of install) output = await run(commands);
    expect(JSON.parse(output)).toMatchObject({ name: 'My first application', chats_count: 0 });
    expect(await run('systemctl is-enabled chat-system')).toBe('enabled\n');
    expect(
      await run(
        "ps -o user= -p $(systemctl show --property=MainPID --value chat-system); stat -c '%a %U' /etc/chat-system.env /var/lib/chat-system",
      ),
    ).toBe('chat-system\n600 root\n700 chat-system\n');
    expect(await run('journalctl --no-pager --unit chat-system --priority warning --quiet')).toBe('');
  });

  test('a stream through Caddy brings each event at once over HTTP/2 and HTTP/1.1, and a restart of the server ends it', async () => {
    const { token } = z
      .object({ token: z.string() })
      .parse(JSON.parse(await run(`${asAdmin} -H 'content-type: application/json' -d '{"name": "Followed"}'`)));
    const chat = `https://localhost/v1/applications/${token}/chats`;
    const post = (url: string, body: string) =>
      run(`curl --silent --show-error --fail ${url} -H 'content-type: application/json' -d '${body}'`);
    await post(chat, '{}');
    const streams = ['--http1.1', '--http2'].map((version) => {
      const curl = debian.start(
        `exec curl --silent --no-buffer ${version} --write-out 'HTTP/%{http_version}' 'https://localhost/v1/applications/self/feed?chat=1:0' -H 'Authorization: Bearer ${token}' -H 'Accept: text/event-stream'`,
      );
      let received = '';
      curl.stdout?.on('data', (chunk: Buffer) => {
        received += chunk;
      });
      return { curl, received: () => received };
    });
    // Each message is sent after the one before it has arrived, so a proxy that collects events would stop this.
    for (const body of ['first', 'second', 'third']) {
      await post(`${chat}/1/messages`, JSON.stringify({ body }));
      for (const { received } of streams) await expect.poll(received).toContain(`"body":"${body}"`);
    }
    const ends = streams.map(({ curl }) => once(curl, 'close'));
    const restart = run('systemctl restart chat-system');
    await Promise.all(ends);
    await restart;
    expect(streams.map(({ received }) => received().slice(-8).trim())).toEqual(['HTTP/1.1', 'HTTP/2']);
    // Caddy holds this request until the server is back.
    expect(await names()).toEqual(['My first application', 'Followed']);
  });

  test('a killed server is started again', async () => {
    const pid = await mainPid();
    await run('systemctl kill --kill-who=main --signal=KILL chat-system');
    await expect.poll(async () => Number(await mainPid()) > 0 && (await mainPid()) !== pid).toBe(true);
    expect(await names()).toEqual(['My first application', 'Followed']);
  });

  test('a backup of the running server can be restored', async () => {
    const [backUp = '', restore = ''] = commandsUnder('Backup');
    expect(await run(backUp)).toMatch(/^\d{4}-\d\d-\d\dT\d{6}Z\n$/);
    expect(await run('systemctl is-active chat-system-backup.timer')).toBe('active\n');
    await run(`${asAdmin} -H 'content-type: application/json' -d '{"name": "After the backup"}'`);
    // After as many starts as the unit allows, systemd refuses the next one.
    await run('for _ in 1 2 3 4 5 6; do systemctl restart chat-system || true; done');
    await run(restore);
    await expect.poll(names).toEqual(['My first application', 'Followed']);
  });

  test('Caddy logs neither the path nor the headers of a request while the server is down', async () => {
    await run('systemctl stop chat-system');
    const asked = `curl --silent --output /dev/null --write-out '%{http_code}' https://localhost/v1/applications/some-token -H 'x-api-key: some-key'`;
    expect(await run(asked)).toBe('502');
    const log = await run('journalctl --no-pager --unit caddy');
    expect(log).toContain('"status":502');
    expect(log).not.toMatch(/some-token|some-key/);
    await run('systemctl start chat-system');
    await expect.poll(names).toEqual(['My first application', 'Followed']);
  });

  test('an upgrade and a rollback keep the data', async () => {
    const head = () => run('git -C /opt/chat-system rev-parse HEAD');
    const before = await head();
    await run(
      'git -C /srv/repository -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty --message=Newer',
    );
    for (const [heading, isNewer] of [
      ['Upgrade', true],
      ['Rollback', false],
    ] as const) {
      const pid = await mainPid();
      for (const commands of commandsUnder(heading)) await run(commands);
      expect([heading, (await head()) !== before, (await mainPid()) !== pid]).toEqual([heading, isNewer, true]);
      expect(await names()).toEqual(['My first application', 'Followed']);
    }
  });

  test('the commands for monitoring show a healthy system', async () => {
    const [show = '', inspect = ''] = commandsUnder('Monitoring');
    expect(await run(show)).toContain('Active: active (running)');
    expect(await run(inspect)).toContain('3 messages compared: no differences.');
    expect(await names()).toEqual(['My first application', 'Followed']);
  });
});

const folder = path.join(project, 'deploy/one-machine');
const units = ['chat-system.service', 'chat-system-backup.service', 'chat-system-backup.timer'];

/** Runs systemd-analyze in the folder of the units. The programs that they name are in the installed copy only. */
const analyze = (...args: string[]) =>
  spawnSync('systemd-analyze', args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
  });

describeOnLinux('the systemd units', () => {
  test.each(units)('systemd-analyze finds no fault in %s', (unit) => {
    const { stderr, error } = analyze('verify', '--man=no', path.join(folder, unit));
    expect(error).toBeUndefined();
    expect(
      stderr.replace(/^.*Command \/opt\/chat-system\/\S+ is not executable: No such file or directory\n/gm, ''),
    ).toBe('');
  });

  test.each([
    ['chat-system.service', 15],
    ['chat-system-backup.service', 10],
  ] as const)('the exposure of %s is at most %i tenths', (unit, tenths) => {
    const security = analyze(
      'security',
      '--offline=true',
      `--threshold=${tenths}`,
      '--no-pager',
      path.join(folder, unit),
    );
    expect([security.status, security.stdout]).toEqual([0, expect.stringContaining('Overall exposure level')]);
  });
});
