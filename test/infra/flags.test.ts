import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type StageName, stages } from '../../infra/config.ts';
import { readFlags, stageIn } from '../../infra/flags.ts';
import { InvalidFlags } from '../../infra/parse-flags.ts';
import { readStageFile, type StageFile } from '../../infra/stage-files.ts';
import { existingServers } from '../support/infra/synthesis.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

const read = readFlags;
const problems = (flags: Record<string, unknown>, file?: StageFile): string[] => {
  try {
    read(flags, file);
  } catch (error) {
    if (error instanceof InvalidFlags) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('without flags, the stage is dev, with created servers and a roll-up every minute', () => {
  expect(read({})).toEqual({ name: 'dev', stage: stages.dev, feed: true, rollupMinutes: 1, monthlyBudget: 300 });
});

test('flags are passed as text and parsed', () => {
  const all = {
    ...existingServers,
    stage: 'prod',
    vpcId: 'vpc-0123456789abcdef0',
    feed: 'off',
    rollupMinutes: '5',
    adminKeySecret: 'chat/key',
    mysqlReaderSecret: 'chat-reader',
    mysqlWorkerSecret: 'chat-worker',
  };
  expect(read(all)).toEqual({
    name: 'prod',
    stage: stages.prod,
    vpcId: 'vpc-0123456789abcdef0',
    mysql: {
      url: existingServers.mysqlUrl,
      secretName: existingServers.mysqlSecret,
      userSecretNames: { reads: 'chat-reader', work: 'chat-worker' },
    },
    opensearchUrl: existingServers.opensearchUrl,
    adminKeySecret: 'chat/key',
    feed: false,
    rollupMinutes: 5,
    monthlyBudget: 700,
  });
});

test.for([
  ['mysqlUrl', 'mysql://chat:secret@db.example/chat', 'contains a password'],
  ['mysqlUrl', 'mysql://chat:secret@db.example/chat', '-c mysqlSecret=<name>'],
  ['mysqlUrl', 'postgres://chat@db.example/chat', 'is not a URL such as mysql://'],
  ['mysqlUrl', 'db.example', 'is not a URL such as mysql://'],
  ['opensearchUrl', 'https://user:secret@search.example', 'contains a password'],
  ['opensearchUrl', 'search.example:9200', 'is not a URL such as https://'],
  ['mysqlSecret', '{"password": "secret"}', 'is not the name of a secret'],
  ['adminKeySecret', 'my secret key', 'is not the name of a secret'],
  ['adminKeySecret', 'open', 'is reserved'],
  ['plaintext', 'yes', 'is not "allowed"'],
  ['feed', 'yes', 'is neither "on" nor "off"'],
  ['vpcId', 'my-network', 'is not a VPC id'],
  ['zones', 'eu', 'is not a list such as us-east-1a,us-east-1b'],
  ['searchDomainArn', 'of-others', 'is not an ARN such as arn:aws:es:'],
  ['warmWrites', '3999', 'is less than 4000'],
  ['monthlyBudget', 'little', 'is not a number'],
  ['runbookUrl', 'docs/runbook.md', 'is not a URL such as https://'],
  ['rollupMinutes', '61', 'is more than 60'],
  ['rollupMinutes', '0', 'is less than 1'],
  ['rollupMinutes', '1.5', 'is not a whole number'],
  ['rollupMinutes', 'often', 'is not a number'],
  ['stage', 'production', 'is not a stage of infra/config.ts; the stages are dev, prod, local, single'],
] as const)('the flag %s=%s is refused: it %s', ([flag, value, problem]) => {
  const [message, ...others] = problems({ ...existingServers, [flag]: value });
  expect(others).toEqual([]);
  expect(message).toMatch(new RegExp(`^-c ${flag}: `));
  expect(message).toContain(problem);
  expect(message).not.toContain('secret@');
});

test('all mistakes are reported at once: unknown flags, invalid values, and missing or conflicting flags', () => {
  const flags = {
    stag: 'prod',
    stage: '?',
    mysqlUrl: '?',
    rollupMinutes: '99',
    opensearchUrl: 'http://search.example',
  };
  expect(problems(flags)).toEqual([
    expect.stringMatching(/^-c stag: unknown flag; the flags are stage, vpcId, /),
    expect.stringMatching(/^-c stage: is not a stage/),
    expect.stringMatching(/^-c mysqlUrl: is not a URL/),
    expect.stringMatching(/^-c rollupMinutes: is more than 60/),
    expect.stringMatching(/^-c mysqlSecret: is missing/),
    expect.stringMatching(/^-c opensearchUrl: does not use TLS/),
  ]);
});

test('the context values that CDK itself passes are not taken for flags', () => {
  const context = {
    'aws:cdk:bundling-stacks': ['**'],
    '@aws-cdk/core:failSynthOnValidationErrors': false,
    'vpc-provider:account=123456789012:filter.vpc-id=vpc-1:region=eu-central-1': {},
    'acknowledged-issue-numbers': [1],
  };
  expect(problems(context)).toEqual([]);
  expect(problems({ 'alarm-email': 'someone@example.org' })).toHaveLength(1);
});

test('the flag zones names as many availability zones as the stage needs, and only for a created network', () => {
  expect(read({ zones: 'us-east-1a,us-east-1b' }).zones).toEqual(['us-east-1a', 'us-east-1b']);
  expect(problems({ zones: 'us-east-1a,us-east-1b', stage: 'prod' })).toEqual([
    '-c zones: has 2 zones, but stage prod needs 3',
  ]);
  for (const network of [{ vpcId: 'vpc-0123456789abcdef0' }, existingServers])
    expect(problems({ ...network, zones: 'us-east-1a,us-east-1b' })).toEqual([
      '-c zones: has no effect, because no network is created with these flags; leave it out',
    ]);
});

const arn = 'arn:aws:es:eu-central-1:123456789012:domain/of-others';
test.for(['https://vpc-of-others-abc123.aos.eu-central-1.on.aws', 'https://abc123.eu-central-1.aoss.amazonaws.com'])(
  '%s does not name its search domain, so searchDomainArn is required',
  (opensearchUrl) => {
    expect(problems({ ...existingServers, opensearchUrl })).toEqual([
      expect.stringMatching(/^-c opensearchUrl: is an AWS address .*-c searchDomainArn/),
    ]);
    expect(problems({ ...existingServers, opensearchUrl, searchDomainArn: arn })).toEqual([]);
  },
);

test('the flag searchDomainArn requires opensearchUrl', () => {
  expect(problems({ searchDomainArn: arn })).toEqual([expect.stringContaining('-c opensearchUrl: is missing')]);
});

test('the flags domain and certificateArn have to be passed together', () => {
  const certificateArn = 'arn:aws:acm:eu-central-1:123456789012:certificate/0123-4567';
  expect(problems({ domain: 'chat.example.org' })).toEqual([expect.stringContaining('-c certificateArn: is missing')]);
  expect(problems({ certificateArn })).toEqual([expect.stringContaining('-c domain: is missing')]);
  expect(problems({ domain: 'chat.example.org', certificateArn })).toEqual([]);
  expect(problems({ domain: 'https://chat.example.org', certificateArn: 'chat.example.org' })).toEqual([
    expect.stringMatching(/^-c domain: is not a domain name/),
    expect.stringMatching(/^-c certificateArn: is not an ARN such as arn:aws:acm:/),
  ]);
});

test('the flags mysqlUrl and mysqlSecret have to be passed together', () => {
  const vpcId = 'vpc-0123456789abcdef0';
  expect(problems({ mysqlUrl: existingServers.mysqlUrl, vpcId })).toEqual([
    expect.stringContaining('-c mysqlSecret: is missing'),
  ]);
  expect(problems({ mysqlSecret: existingServers.mysqlSecret, vpcId })).toEqual([
    expect.stringContaining('-c mysqlUrl: is missing'),
  ]);
});

test('the flags mysqlReaderSecret, mysqlWorkerSecret and mysqlSecret have to be passed together and name three different secrets', () => {
  const [mysqlReaderSecret, mysqlWorkerSecret] = ['chat-reader', 'chat-worker'];
  expect(problems({ ...existingServers, mysqlReaderSecret })).toEqual([
    expect.stringContaining('-c mysqlWorkerSecret: is missing'),
  ]);
  expect(problems({ ...existingServers, mysqlWorkerSecret })).toEqual([
    expect.stringContaining('-c mysqlReaderSecret: is missing'),
  ]);
  expect(problems({ mysqlReaderSecret, mysqlWorkerSecret })).toEqual([
    expect.stringContaining('-c mysqlSecret: is missing'),
  ]);
  expect(problems({ ...existingServers, mysqlReaderSecret, mysqlWorkerSecret: existingServers.mysqlSecret })).toEqual([
    expect.stringContaining('needs its own secret'),
  ]);
});

const mysql = 'mysql://chat@db.example:3306/chat';
test.for([
  ['mysqlUrl', mysql, 'does not require TLS with a verified certificate'],
  ['mysqlUrl', `${mysql}?charset=utf8mb4`, 'does not require TLS'],
  // mysql2 fails to connect with these.
  ['mysqlUrl', `${mysql}?ssl=true`, 'does not require TLS'],
  ['mysqlUrl', `${mysql}?ssl=Some%20Profile`, 'does not require TLS'],
  ['mysqlUrl', `${mysql}?ssl=false`, 'does not require TLS'],
  ['mysqlUrl', `${mysql}?ssl={}`, 'does not require TLS with a verified certificate'],
  [
    'mysqlUrl',
    `${mysql}?ssl={"verifyIdentity":true,"rejectUnauthorized":false}`,
    'does not require TLS with a verified certificate',
  ],
  ['opensearchUrl', 'http://search.example:9200', 'does not use TLS'],
] as const)('the flag %s=%s is refused without plaintext=allowed: it %s', ([flag, value, problem]) => {
  const [message, ...others] = problems({ ...existingServers, [flag]: value });
  expect(others).toEqual([]);
  expect(message).toMatch(new RegExp(`^-c ${flag}: .*-c plaintext=allowed`));
  expect(message).toContain(problem);
  expect(problems({ ...existingServers, [flag]: value, plaintext: 'allowed' })).toEqual([]);
  // In stage local, the servers run on this machine.
  expect(problems({ ...existingServers, [flag]: value, stage: 'local' })).toEqual([]);
});

test.for([
  `${mysql}?ssl=Amazon%20RDS`,
  `${mysql}?ssl=${encodeURIComponent('{"ca":"…"}')}`,
  `${mysql}?ssl=${encodeURIComponent('{"verifyIdentity":true}')}`,
])('the URL %s requires TLS with a verified certificate', (mysqlUrl) => {
  expect(problems({ ...existingServers, mysqlUrl })).toEqual([]);
});

test('an existing server of only one kind requires vpcId, a network that reaches both servers', () => {
  const { mysqlUrl, mysqlSecret, opensearchUrl } = existingServers;
  for (const one of [{ mysqlUrl, mysqlSecret }, { opensearchUrl }]) {
    expect(problems(one)).toEqual([expect.stringContaining('-c vpcId: is missing')]);
    expect(problems({ ...one, vpcId: 'vpc-0123456789abcdef0' })).toEqual([]);
  }
});

test('stage local requires existing servers', () => {
  expect(problems({ stage: 'local' })).toEqual([
    expect.stringContaining('-c mysqlUrl: is missing'),
    expect.stringContaining('-c opensearchUrl: is missing'),
  ]);
});

/** Writes files of stages and reads that of dev. */
function stageFile(texts: Record<string, string>, stage: StageName = 'dev'): StageFile {
  const folder = path.join(dataFolder(), 'stages');
  mkdirSync(folder);
  for (const [file, text] of Object.entries(texts)) writeFileSync(path.join(folder, file), text);
  return readStageFile(stage, folder);
}

test('the file of a stage holds its flags, and a flag on the command line takes precedence over it', () => {
  const inFile = { rollupMinutes: 5, zones: 'us-east-1a,us-east-1b', alarmEmail: 'operators@example.org' };
  const file = stageFile({ 'dev.json': JSON.stringify(inFile), 'prod.json': '{ "rollupMinutes": 60 }' });
  expect(read({}, file)).toMatchObject({ rollupMinutes: 5, alarmEmail: inFile.alarmEmail });
  expect(read({ rollupMinutes: '7' }, file)).toMatchObject({ rollupMinutes: 7, zones: ['us-east-1a', 'us-east-1b'] });
});

test('all mistakes in the file of a stage and on the command line are reported at once, each with its place', () => {
  const inFile = { alarmMail: 'operators@example.org', rollupMinutes: 99, stage: 'prod', vpcId: 'my-network' };
  const file = stageFile({ 'dev.json': JSON.stringify(inFile), 'pord.json': '{}' });
  expect(problems({ vpcId: '?', zones: 'eu', zoness: '' }, file)).toEqual([
    expect.stringMatching(/^infra\/stages\/pord\.json: is not the file of a stage; .* are dev, prod, local, single$/),
    expect.stringMatching(/^infra\/stages\/dev\.json, alarmMail: unknown flag; the flags are vpcId, /),
    expect.stringMatching(/^infra\/stages\/dev\.json, stage: unknown flag/),
    expect.stringMatching(/^-c zoness: unknown flag/),
    expect.stringMatching(/^-c vpcId: is not a VPC id/),
    expect.stringMatching(/^-c zones: is not a list/),
    'infra/stages/dev.json, rollupMinutes: is more than 60',
  ]);
});

test.for([
  ['{ rollupMinutes: 5 }', 'infra/stages/dev.json: is not JSON: '],
  ['[]', 'infra/stages/dev.json: is not a JSON object of flags'],
  ['"dev"', 'infra/stages/dev.json: is not a JSON object of flags'],
  ['{ "zones": ["us-east-1a"] }', 'infra/stages/dev.json, zones: is neither a text nor a number'],
  ['{ "rollupMinutes": true }', 'infra/stages/dev.json, rollupMinutes: is neither a text nor a number'],
] as const)('the file of a stage with the content %s is refused', ([text, problem]) => {
  expect(problems({}, stageFile({ 'dev.json': text }))).toEqual([expect.stringContaining(problem)]);
});

test('the committed files of the stages that reach AWS have no mistakes', () => {
  for (const stage of ['dev', 'prod'] as const) expect(problems({ stage }, readStageFile(stage))).toEqual([]);
});

test('the command line decides which stage file is read: that of dev if it names no stage or an unknown one', () => {
  expect([{}, { stage: 'prod' }, { stage: '?' }].map(stageIn)).toEqual(['dev', 'prod', 'dev']);
});
