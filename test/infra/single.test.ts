import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runbookLink } from '../../infra/monitoring/alarm.ts';
import { InvalidFlags } from '../../infra/parse-flags.ts';
import { isSingle, readSingleFlags } from '../../infra/single-flags.ts';
import { readStageFile } from '../../infra/stage-files.ts';
import { synthesizeSingle, userDataOf } from '../support/infra/single-synthesis.ts';

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(project, file), 'utf8');
const single = synthesizeSingle({ alarmEmail: 'someone@example.org' });
const { template } = single;
const launch = template.one('AWS::EC2::LaunchTemplate').resource.Properties.LaunchTemplateData;

describe('the flags of stage single', () => {
  const problems = (context: Record<string, unknown>, content: unknown = {}): string[] => {
    try {
      readSingleFlags({ stage: 'single', ...context }, { path: 'infra/stages/single.json', content, problems: [] });
    } catch (error) {
      if (error instanceof InvalidFlags) return error.message.split('\n');
      throw error;
    }
    return [];
  };

  test('only -c stage=single selects stage single', () => {
    expect([{ stage: 'single' }, { stage: 'dev' }, {}].map(isSingle)).toEqual([true, false, false]);
  });

  test('stage single needs a domain and has defaults for the rest', () => {
    expect(readSingleFlags({ stage: 'single', domain: 'chat.example.org' })).toEqual({
      stage: 'single',
      domain: 'chat.example.org',
      dataGb: 10,
      monthlyBudget: 30,
    });
    expect(problems({})).toEqual([expect.stringMatching(/^-c domain: is missing; /)]);
  });

  test('all mistakes in the flags of stage single are reported at once, each with its place', () => {
    const file = { zone: 'eu-central-1', mysqlUrl: 'mysql://chat@db.example/chat' };
    expect(problems({ domain: 'https://chat', dataGb: '0', snapshot: 'newest', warmWrites: '5000' }, file)).toEqual([
      expect.stringMatching(/^infra\/stages\/single\.json, mysqlUrl: unknown flag; the flags are domain, zone, /),
      expect.stringMatching(/^-c warmWrites: unknown flag; the flags are stage, domain, /),
      expect.stringMatching(/^-c domain: is not a domain name/),
      'infra/stages/single.json, zone: is not a zone such as us-east-1a',
      '-c dataGb: is less than 1',
      expect.stringMatching(/^-c snapshot: is not a snapshot id/),
    ]);
  });

  test.for([
    'a b.org',
    'a;id.org',
    '$(id).org',
    '`id`.org',
    'a.org\nexport CODE=x',
    '192.0.2.1',
    'Chat.example.org',
    'a.org/',
  ])('nothing but a domain name gets into the user data: not %j', (domain) => {
    expect(problems({ domain })).toEqual(['-c domain: is not a domain name such as chat.example.org']);
  });

  test('a domain name has at most 253 characters, as in DNS', () => {
    const longest = `${'a.'.repeat(125)}org`;
    expect(problems({ domain: longest })).toEqual([]);
    expect(problems({ domain: `b${longest}` })).toEqual(['-c domain: is longer than 253 characters, the limit of DNS']);
  });

  test('a file of stage single may be committed beside those of the other stages', () => {
    expect(readStageFile('single')).toEqual({ path: 'infra/stages/single.json', content: {}, problems: [] });
  });
});

test('a group of one replaces a failed instance, and a deployment waits until the new instance serves', () => {
  const { id, resource } = template.one('AWS::AutoScaling::AutoScalingGroup');
  expect(resource.Properties).toMatchObject({ MinSize: '1', MaxSize: '1' });
  expect(resource).toMatchObject({
    CreationPolicy: { ResourceSignal: { Count: 1 } },
    // The volume can be attached to only one instance, so the previous one ends first.
    UpdatePolicy: { AutoScalingRollingUpdate: { MinInstancesInService: 0, WaitOnResourceSignals: true } },
  });
  expect(JSON.stringify(launch.UserData)).toContain(`export GROUP=${id}\\n`);
});

test('the data volume is encrypted, survives its stack and is not replaced when it grows', () => {
  const { id, resource } = template.one('AWS::EC2::Volume');
  expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  expect(resource.Properties).toMatchObject({ Encrypted: true, VolumeType: 'gp3', Size: 10 });
  const volumeOf = (flags: Record<string, string>) => synthesizeSingle(flags).template.one('AWS::EC2::Volume');
  expect(volumeOf({ dataGb: '20' })).toMatchObject({ id, resource: { Properties: { Size: 20 } } });
});

test('another zone or snapshot creates another volume, because CloudFormation cannot change them', () => {
  const idsOf = (flags: Record<string, string>) => {
    const { template: other } = synthesizeSingle(flags);
    return ['AWS::EC2::Volume', 'AWS::EC2::VPC', 'AWS::EC2::EIP'].map((type) => other.one(type).id);
  };
  const [volume, vpc, address] = idsOf({});
  const moved = idsOf({ zone: 'eu-central-1b', snapshot: 'snap-0123456789abcdef0' });
  expect(moved).toEqual([expect.not.stringMatching(`^${volume}$`), expect.not.stringMatching(`^${vpc}$`), address]);
  const restored = idsOf({ snapshot: 'snap-0123456789abcdef0' });
  expect(restored).toEqual([expect.not.stringMatching(`^${volume}$`), vpc, address]);
  const { resource } = synthesizeSingle({ zone: 'eu-central-1b', snapshot: 'snap-0123456789abcdef0' }).template.one(
    'AWS::EC2::Volume',
  );
  expect(resource.Properties).toMatchObject({
    AvailabilityZone: 'eu-central-1b',
    SnapshotId: 'snap-0123456789abcdef0',
  });
});

test('volume, subnet and instance are in one zone', () => {
  const zone = template.one('AWS::EC2::Volume').resource.Properties.AvailabilityZone;
  const subnet = template.one('AWS::EC2::Subnet');
  expect(subnet.resource.Properties.AvailabilityZone).toEqual(zone);
  expect(template.one('AWS::AutoScaling::AutoScalingGroup').resource.Properties.VPCZoneIdentifier).toEqual([
    { Ref: subnet.id },
  ]);
});

test('the internet reaches ports 80 and 443 only, and the metadata service requires a token', () => {
  const { SecurityGroupIngress } = template.one('AWS::EC2::SecurityGroup').resource.Properties;
  expect(SecurityGroupIngress.map(({ FromPort, ToPort }: Record<string, number>) => [FromPort, ToPort])).toEqual([
    [80, 80],
    [443, 443],
  ]);
  expect(launch.MetadataOptions).toEqual({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
  expect(launch.KeyName).toBeUndefined();
});

test('the disk of the instance is encrypted', () => {
  expect(launch.BlockDeviceMappings.map(({ Ebs }: { Ebs: object }) => Ebs)).toEqual([
    { Encrypted: true, VolumeSize: 8, VolumeType: 'gp3' },
  ]);
});

test('the instance has exactly the permissions it needs', () => {
  const { PolicyDocument } = template.one('AWS::IAM::Policy', /^MachineRole/).resource.Properties;
  const ids = new Map(
    ['AWS::EC2::Volume', 'AWS::EC2::EIP', 'AWS::AutoScaling::AutoScalingGroup'].map((type) => [
      template.one(type).id,
      `<${type}>`,
    ]),
  );
  const textOf = (part: unknown): string => {
    if (typeof part === 'string') return part.replace(/[0-9a-f]{64}/, '<hash>');
    const { Ref, 'Fn::GetAtt': got, 'Fn::Join': join, 'Fn::Sub': sub } = part as Record<string, string & string[]>;
    if (join) return (join[1] as unknown as unknown[]).map(textOf).join('');
    if (sub) return sub.replace(/\$\{(.*?)\}/g, '<$1>');
    return ids.get(Ref ?? got?.[0] ?? '') ?? `<${Ref}>`;
  };
  const allowed = PolicyDocument.Statement.flatMap(
    ({ Action, Resource, Condition }: Record<'Action' | 'Resource', string | string[]> & { Condition?: object }) =>
      [Action].flat().flatMap((action) =>
        [Resource].flat().map((each) => {
          const resource = textOf(each).replace('arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:', '');
          return `${action} ${resource}${Condition ? ` if ${JSON.stringify(Condition)}` : ''}`;
        }),
      ),
  );
  const tagged = 'instance/* if {"StringEquals":{"ec2:ResourceTag/chat-system":"single"}}';
  expect(allowed.sort()).toEqual(
    [
      'cloudformation:SignalResource <AWS::StackId>',
      'cloudwatch:PutMetricData * if {"StringEquals":{"cloudwatch:namespace":"ChatSystem"}}',
      'ec2:AssociateAddress elastic-ip/<AWS::EC2::EIP>',
      'ec2:AssociateAddress network-interface/*',
      `ec2:AssociateAddress ${tagged}`,
      'ec2:AttachVolume volume/<AWS::EC2::Volume>',
      `ec2:AttachVolume ${tagged}`,
      's3:GetObject arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/<hash>.zip',
      'ssm:UpdateInstanceInformation *',
      'ssmmessages:CreateControlChannel *',
      'ssmmessages:CreateDataChannel *',
      'ssmmessages:OpenControlChannel *',
      'ssmmessages:OpenDataChannel *',
    ].sort(),
  );
  const { ManagedPolicyArns, Policies } = template.one('AWS::IAM::Role', /^MachineRole/).resource.Properties;
  expect([ManagedPolicyArns, Policies]).toEqual([undefined, undefined]);
  // The tag is that of the group's instances.
  expect(template.one('AWS::AutoScaling::AutoScalingGroup').resource.Properties.Tags).toContainEqual({
    Key: 'chat-system',
    Value: 'single',
    PropagateAtLaunch: true,
  });
});

test('snapshots of the data volume are taken daily and kept for a week', () => {
  const { PolicyDetails, State } = template.one('AWS::DLM::LifecyclePolicy').resource.Properties;
  expect(State).toBe('ENABLED');
  expect(PolicyDetails.TargetTags).toEqual(template.one('AWS::EC2::Volume').resource.Properties.Tags);
  expect(PolicyDetails.Schedules).toMatchObject([
    { CreateRule: { Interval: 24, IntervalUnit: 'HOURS', Times: ['05:00'] }, RetainRule: { Count: 7 } },
  ]);
});

test('the stack cannot be deleted by accident, and needs no account or network to synthesize', () => {
  expect(single.stack.terminationProtection).toBe(true);
  expect(JSON.stringify(template.resources)).not.toContain('dummy-value-for-');
});

test('the code on the instance is what the image of the Dockerfile has, and the units', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-code-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  synthesizeSingle({}, folder);
  const filesIn = (cwd: string) =>
    execFileSync('bash', ['-c', 'cd asset.* && find . -type f | cut -c3- | sort'], { cwd, encoding: 'utf8' });
  const included = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const committed = execFileSync('git', ['ls-files', ...included, 'deploy'], {
    cwd: project,
    encoding: 'utf8',
  });
  const copied = filesIn(folder).split('\n').filter(Boolean);
  expect(copied).toEqual(expect.arrayContaining(committed.split('\n').filter(Boolean)));
  expect(copied.filter((file) => /(^|\/)node_modules\/|^(test|infra|docs|data|\.git)\//.test(file))).toEqual([]);
});

describe('the user data', () => {
  const userData = userDataOf(single, {
    'AWS::Region': 'eu-central-1',
    'AWS::AccountId': '123456789012',
    'AWS::EC2::Volume': 'vol-0123456789abcdef0',
    'AWS::EC2::EIP': 'eipalloc-0123456789abcdef0',
  });

  test('the user data is smaller than 16 KB, the limit of EC2', () => {
    expect(Buffer.byteLength(userData)).toBeLessThan(16_384);
  });

  test('the user data contains no secret, only names and addresses', () => {
    expect(userData.replace(/^cat > .*?^END$/ms, '…').split('\n')).toEqual([
      '#!/bin/bash',
      'export AWS_DEFAULT_REGION=eu-central-1',
      expect.stringMatching(/^export CODE=s3:\/\/cdk-hnb659fds-assets-123456789012-eu-central-1\/[0-9a-f]{64}\.zip$/),
      'export VOLUME=vol-0123456789abcdef0',
      'export ADDRESS=eipalloc-0123456789abcdef0',
      'export DOMAIN=chat.example.org',
      'export STACK=ChatSystem-single',
      expect.stringMatching(/^export GROUP=MachineGroup\w+$/),
      expect.stringMatching(/^\[ "\$0" -ef .* \|\| install -D --mode=700 "\$0" /),
      '…',
      'until bash /root/set-up; do sleep 30; done',
      'rm /var/lib/cloud/scripts/per-boot/chat-system',
    ]);
  });

  test('the set-up runs again after a reboot, until it has succeeded', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-user-data-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const script = path.join(folder, 'user-data');
    const again = path.join(folder, 'cloud/scripts/per-boot/chat-system');
    const ready = path.join(folder, 'ready');
    // A set-up that succeeds when a file exists. After a failure, the machine is off before the next attempt.
    const text = userData
      .replace(/^(cat > .*?\n).*?^END$/ms, `$1echo run >> ${folder}/runs; [ -e ${ready} ]\nEND`)
      .replaceAll('/root/set-up', path.join(folder, 'set-up'))
      .replaceAll('/var/lib/cloud', path.join(folder, 'cloud'))
      .replace('sleep 30', () => 'kill -KILL $$');
    writeFileSync(script, text);
    const runs = (file: string) => {
      const { signal, status, stderr } = spawnSync('bash', [file], { encoding: 'utf8' });
      return [signal ?? status, stderr];
    };
    expect(runs(script)).toEqual(['SIGKILL', '']);
    expect(statSync(again).mode & 0o777).toBe(0o700);
    expect(runs(again)).toEqual(['SIGKILL', '']);
    writeFileSync(ready, '');
    expect(runs(again)).toEqual([0, '']);
    expect(readFileSync(path.join(folder, 'runs'), 'utf8')).toBe('run\n'.repeat(3));
    expect(existsSync(again)).toBe(false);
  });

  test('the set-up runs the commands of docs/one-machine.md', () => {
    const commandsUnder = (heading: string) => {
      const [section = ''] = (read('docs/one-machine.md').split(`\n## ${heading}\n`)[1] ?? '').split('\n## ');
      return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, commands]) =>
        (commands as string).trim().split('\n'),
      );
    };
    const [, programs = [], server = [], caddy = []] = commandsUnder('Install');
    const [backup = []] = commandsUnder('Backup');
    // The code is not cloned, the admin key is on the volume, the certificate comes when the DNS record is set, and the
    // first backup is made in the first night.
    const others =
      /^(git clone|install --mode=600|echo "ADMIN_KEY|curl .*https:\/\/\$DOMAIN|systemctl start chat-system-backup|ls )/;
    const commands = [programs, server, caddy, backup].flat().filter((command) => !others.test(command));
    expect(commands).toHaveLength(11);
    const lines = userData.split('\n').map((line) => line.trim());
    expect(lines).toEqual(expect.arrayContaining(commands));
  });
});

describe('the health check', () => {
  const { Environment, Code, ...check } = template.one('AWS::Lambda::Function').resource.Properties;
  /** Runs the code of the function. */
  const run = (url: string): Promise<void> => {
    const exports: { handler?: () => Promise<void> } = {};
    vm.runInNewContext(Code.ZipFile, { exports, fetch, AbortSignal, process: { env: { URL: url } } });
    return exports.handler?.() ?? Promise.reject(new Error('the code exports no handler'));
  };
  const serve = async (status: number): Promise<string> => {
    const server = createServer((_, response) => response.writeHead(status).end('{}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/health`;
  };

  test('the health check succeeds only if the response is a success', async () => {
    await expect(run(await serve(200))).resolves.toBeUndefined();
    await expect(run(await serve(503))).rejects.toThrow('the response has status 503');
    await expect(run('http://127.0.0.1:1/v1/health')).rejects.toThrow('fetch failed');
  });

  test('the health check runs every minute, requests the domain over HTTPS and may only write its log', () => {
    expect(Environment.Variables.URL).toBe('https://chat.example.org/v1/health');
    expect(check).toMatchObject({ Handler: 'index.handler', Architectures: ['arm64'] });
    expect(template.one('AWS::Events::Rule').resource.Properties.ScheduleExpression).toBe('rate(1 minute)');
    const { PolicyDocument } = template.one('AWS::IAM::Policy', /^HealthCheck/).resource.Properties;
    expect(PolicyDocument.Statement).toMatchObject([{ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] }]);
    expect(template.one('AWS::IAM::Role', /^HealthCheck/).resource.Properties.ManagedPolicyArns).toBeUndefined();
  });
});

describe('the alarms of stage single', () => {
  const alarms = template.ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const runbook = read('docs/runbook.md');

  test('an alarm fires for a machine that does not respond, and for a check that does not run', () => {
    expect(alarms[0]).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 5,
      TreatMissingData: 'breaching',
    });
  });

  test('an alarm fires for a volume that is nearly full, by the metric that the machine reports', () => {
    expect(alarms[1]).toMatchObject({ Threshold: 80, ComparisonOperator: 'GreaterThanThreshold' });
    const { Namespace, MetricName, Dimensions, TreatMissingData } = alarms[1];
    expect(TreatMissingData).toBe('breaching');
    const [{ Name, Value }] = Dimensions;
    expect(read('deploy/ec2/chat-system-disk.service')).toContain(
      `--namespace ${Namespace} --metric-name ${MetricName} --dimensions ${Name}=${Value} `,
    );
  });

  test('each alarm of stage single notifies the topic and links a complete section of the runbook', () => {
    expect(alarms).toHaveLength(3);
    const topic = { Ref: template.one('AWS::SNS::Topic').id };
    for (const { AlarmDescription, AlarmActions, OKActions } of alarms) {
      expect([AlarmActions, OKActions]).toEqual([[topic], [topic]]);
      const section = runbook.split(/^## /m).find((text) => {
        const [heading = ''] = text.split('\n');
        return AlarmDescription.endsWith(` What to do: ${runbookLink(heading)}`);
      });
      for (const part of ['**Means.**', '**Look.**', '**Fix.**', '**Fixed when**']) expect(section).toContain(part);
    }
    expect(template.one('AWS::SNS::Subscription').resource.Properties.Endpoint).toBe('someone@example.org');
    expect(template.one('AWS::Budgets::Budget').resource.Properties.Budget.BudgetLimit.Amount).toBe(30);
  });
});
