import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { synthesizeSingle, userDataOf } from '../../support/infra/single-synthesis.ts';
import { project } from '../../support/servers/checkout.ts';
import { bootDebian, type Debian, refusalOfLoopDevices, refusalOfNamespaces } from './debian.ts';

// The user data of stage single, run by root on a booted systemd as cloud-init runs it. The data volume is a loop device,
// and the code is the archive that CDK would upload. AWS, apt and the registries are replaced (instance.sh).

const setUp = path.join(project, 'deploy/ec2/set-up.sh');

/** Caddy issues the certificate of this name itself. */
const domain = 'chat.localhost';
const values = {
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '123456789012',
  'AWS::EC2::Volume': 'vol-0123456789abcdef0',
  'AWS::EC2::EIP': 'eipalloc-0123456789abcdef0',
};

const refusal =
  process.platform === 'linux' && process.getuid?.() === 0
    ? (refusalOfNamespaces() ?? refusalOfLoopDevices())
    : 'it needs Linux and root';
if (refusal !== undefined) console.log(`stage single: no instance is booted: ${refusal}`);
const describeBooted: typeof describe | (() => void) = refusal === undefined ? describe : () => undefined;

test('ShellCheck finds no fault in the set-up and in the user data around it', () => {
  const userData = userDataOf(synthesizeSingle({ domain }), values);
  for (const text of [readFileSync(setUp, 'utf8'), userData]) {
    const { status, stdout, error } = spawnSync('shellcheck', ['-'], { input: text, encoding: 'utf8' });
    expect([error, status, stdout]).toEqual([undefined, 0, '']);
  }
});

describeBooted('an instance of stage single', () => {
  let folder: string;
  let loop: string;
  let debian: Debian;
  const run = (commands: string) => debian.run(commands);
  const asAdmin = `. /etc/chat-system.env; curl --silent --show-error --fail --retry 5 --retry-all-errors https://${domain}/v1/applications -H "x-api-key: $ADMIN_KEY"`;
  const create = (name: string) => run(`${asAdmin} -H 'content-type: application/json' -d '{"name": "${name}"}'`);
  const names = async () => {
    const { data } = z.object({ data: z.array(z.object({ name: z.string() })) }).parse(JSON.parse(await run(asAdmin)));
    return data.map(({ name }) => name);
  };
  const root = () => run('cat /var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt');
  const owners = () => run('stat --format=%U:%a /var/lib/chat-system /var/lib/chat-system/* /data/chat-system.env');
  const numberOf = (device: string) => /\d+$/.exec(device)?.[0];
  /** Boots a new instance with the same volume, and with this many more users in its image. */
  const launch = async (users: number) => {
    debian = await bootDebian(folder);
    await run(`/srv/repository/instance.sh ${numberOf(loop)} ${users}`);
    await run('timeout 120 bash /srv/repository/user-data');
  };

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'chat-system-single-'));
    const out = path.join(folder, 'cdk.out');
    writeFileSync(path.join(folder, 'user-data'), userDataOf(synthesizeSingle({ domain }, out), values));
    const [code = ''] = globSync(path.join(out, 'asset.*'));
    execFileSync('python3', ['-c', `import shutil; shutil.make_archive('${folder}/code', 'zip', '${code}')`]);
    cpSync(path.join(import.meta.dirname, 'instance.sh'), path.join(folder, 'instance.sh'));
    const volume = path.join(folder, 'volume');
    writeFileSync(volume, '');
    truncateSync(volume, 64 * 1024 * 1024);
    loop = execFileSync('losetup', ['--find', '--show', volume], { encoding: 'utf8' }).trim();
  });
  afterAll(async () => {
    await debian?.stop();
    spawnSync('losetup', ['--detach', loop]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('the user data formats an empty volume, and serves the API over HTTPS', async () => {
    await launch(0);
    await create('First');
    await expect.poll(names).toEqual(['First']);
    expect(await run('findmnt --noheadings --output FSTYPE /data')).toBe('ext4\n');
    expect(await run('ls /data')).toBe('caddy\nchat-system\nchat-system-backups\nchat-system.env\nlost+found\n');
    expect(await owners()).toMatch(/^chat-system:700\n(chat-system:\d+\n)+root:600\n$/);
    expect(await run('systemctl is-enabled chat-system caddy chat-system-backup.timer')).toBe('enabled\n'.repeat(3));
    expect(readFileSync(path.join(folder, 'calls'), 'utf8').split('\n')).toEqual([
      'dpkg --configure --pending',
      expect.stringMatching(/^curl .*https:\/\/s3\.eu-central-1\.amazonaws\.com\/amazon-ssm-eu-central-1\/latest\//),
      'dpkg --install /root/amazon-ssm-agent.deb',
      expect.stringMatching(
        /^aws s3 cp --no-progress s3:\/\/cdk-hnb659fds-assets-123456789012-eu-central-1\/\w+\.zip /,
      ),
      ...Array<string>(2).fill(
        'aws ec2 attach-volume --volume-id vol-0123456789abcdef0 --instance-id i-0123456789abcdef0 --device /dev/sdf',
      ),
      'aws ec2 associate-address --allocation-id eipalloc-0123456789abcdef0 --instance-id i-0123456789abcdef0 --allow-reassociation',
      expect.stringMatching(
        /^aws cloudformation signal-resource --stack-name ChatSystem-single --logical-resource-id MachineGroup\w+ --unique-id i-0123456789abcdef0 --status SUCCESS$/,
      ),
      '',
    ]);
  });

  test('the machine reports how full the volume is', async () => {
    expect(await run('systemctl is-active chat-system-disk.timer')).toBe('active\n');
    await run('systemctl start chat-system-disk');
    expect(await run('journalctl --no-pager --output cat --unit chat-system-disk')).toMatch(
      /^aws cloudwatch put-metric-data --namespace ChatSystem .* --unit Percent --value \d+$/m,
    );
  });

  test('the set-up can be repeated on the same instance', async () => {
    const before = await run('cat /data/chat-system.env /etc/fstab');
    await run('timeout 120 bash /srv/repository/user-data');
    expect(await run('cat /data/chat-system.env /etc/fstab')).toBe(before);
    await expect.poll(names).toEqual(['First']);
  });

  test('a new instance has the data, the admin key and the certificates of one that was killed', async () => {
    const before = [await run('cat /etc/chat-system.env'), await root(), await run('id --user chat-system')];
    await debian.stop();
    await launch(1);
    const [key, certificate, user] = before;
    expect([await run('cat /etc/chat-system.env'), await root()]).toEqual([key, certificate]);
    await expect.poll(names).toEqual(['First']);
    // The files belong to the user of this name, whatever its number.
    expect(await run('id --user chat-system')).not.toBe(user);
    expect(await owners()).toMatch(/^chat-system:700\n(chat-system:\d+\n)+root:600\n$/);
  });

  test('the commands of the document restore a backup', async () => {
    await run('systemctl start chat-system-backup');
    await create('After the backup');
    const [section = ''] = (
      readFileSync(path.join(project, 'docs/single.md'), 'utf8').split('\n## Restore\n')[1] ?? ''
    ).split('\n## ');
    const [, restore = ''] = /^```sh\n(.*?)^```/ms.exec(section) ?? [];
    await run(restore);
    await expect.poll(names).toEqual(['First']);
  });

  test('the server never starts without the volume', async () => {
    await run('systemctl stop chat-system && umount /var/lib/chat-system && systemctl start chat-system');
    expect(await run('findmnt --noheadings --output FSTYPE /var/lib/chat-system')).toBe('ext4\n');
    await expect.poll(names).toEqual(['First']);
    const unmount =
      'systemctl stop chat-system caddy && umount /var/lib/chat-system /var/lib/chat-system-backups /var/lib/caddy /data';
    await run(`${unmount} && rm /dev/disk/by-id/*`);
    await expect(run('systemctl start chat-system')).rejects.toThrow('dependency');
    expect(await run('ls --almost-all /var/lib/chat-system /data')).toBe('/data:\n\n/var/lib/chat-system:\n');
  });

  test('a volume with anything but zeros is not formatted', async () => {
    const foreign = path.join(folder, 'foreign');
    const content = Buffer.alloc(8 * 1024 * 1024);
    content.write('something', 1_000_000);
    writeFileSync(foreign, content);
    const other = execFileSync('losetup', ['--find', '--show', foreign], { encoding: 'utf8' }).trim();
    try {
      await run(`mknod /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0foreign b 7 ${numberOf(other)}`);
      const exports = 'eval "$(grep ^export /srv/repository/user-data)"; export VOLUME=vol-0foreign';
      await expect(run(`${exports}; bash /root/set-up`)).rejects.toThrow('wrong fs type');
    } finally {
      execFileSync('losetup', ['--detach', other]);
    }
    expect(readFileSync(foreign).equals(content)).toBe(true);
  });
});
