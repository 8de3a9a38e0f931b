import { expect, test } from 'vitest';
import { stages } from '../../infra/config.ts';
import { InvalidFlags, readFlags } from '../../infra/flags.ts';
import { given } from '../support/synthesis.ts';

const read = readFlags;
const problems = (flags: Record<string, unknown>): string[] => {
  try {
    read(flags);
  } catch (error) {
    if (error instanceof InvalidFlags) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('without flags it is the stage to try things, with servers of its own and counts every minute', () => {
  expect(read({})).toEqual({ name: 'dev', stage: stages.dev, rollupMinutes: 1, monthlyBudget: 300 });
});

test('flags come from the command line as text', () => {
  const all = {
    ...given,
    stage: 'prod',
    vpcId: 'vpc-0123456789abcdef0',
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
      url: given.mysqlUrl,
      secretName: given.mysqlSecret,
      userSecretNames: { reads: 'chat-reader', work: 'chat-worker' },
    },
    opensearchUrl: given.opensearchUrl,
    adminKeySecret: 'chat/key',
    rollupMinutes: 5,
    monthlyBudget: 700,
  });
});

test.for([
  ['mysqlUrl', 'mysql://chat:secret@db.example/chat', 'holds a password'],
  ['mysqlUrl', 'mysql://chat:secret@db.example/chat', '-c mysqlSecret=<name>'],
  ['mysqlUrl', 'postgres://chat@db.example/chat', 'is not a URL like mysql://'],
  ['mysqlUrl', 'db.example', 'is not a URL like mysql://'],
  ['opensearchUrl', 'https://user:secret@search.example', 'holds a password'],
  ['opensearchUrl', 'search.example:9200', 'is not a URL like https://'],
  ['mysqlSecret', '{"password": "secret"}', 'is not the name of a secret'],
  ['adminKeySecret', 'my secret key', 'is not the name of a secret'],
  ['adminKeySecret', 'open', 'is a name that no secret of chat-system can have'],
  ['plaintext', 'yes', 'is not "allowed"'],
  ['vpcId', 'my-network', 'is not the id of a VPC'],
  ['zones', 'eu', 'is not like us-east-1a,us-east-1b'],
  ['searchDomainArn', 'of-others', 'is not like arn:aws:es:'],
  ['monthlyBudget', 'little', 'is not a number'],
  ['runbookUrl', 'docs/runbook.md', 'is not a URL like https://'],
  ['rollupMinutes', '61', 'is more than 60'],
  ['rollupMinutes', '0', 'is less than 1'],
  ['rollupMinutes', '1.5', 'is not a whole number'],
  ['rollupMinutes', 'often', 'is not a number'],
  ['stage', 'production', 'is not a stage of infra/config.ts: dev, prod, local'],
] as const)('%s=%s is refused: it %s', ([flag, value, problem]) => {
  const [said, ...others] = problems({ ...given, [flag]: value });
  expect(others).toEqual([]);
  expect(said).toMatch(new RegExp(`^-c ${flag}: `));
  expect(said).toContain(problem);
  expect(said).not.toContain('secret@');
});

test('all that is wrong is said at once: unknown flags, wrong values and what flags lack of each other', () => {
  const flags = {
    stag: 'prod',
    stage: '?',
    mysqlUrl: '?',
    rollupMinutes: '99',
    opensearchUrl: 'http://search.example',
  };
  expect(problems(flags)).toEqual([
    expect.stringMatching(/^-c stag: is not a flag; there are stage, vpcId, /),
    expect.stringMatching(/^-c stage: is not a stage/),
    expect.stringMatching(/^-c mysqlUrl: is not a URL/),
    expect.stringMatching(/^-c rollupMinutes: is more than 60/),
    expect.stringMatching(/^-c mysqlSecret: is missing/),
    expect.stringMatching(/^-c opensearchUrl: asks for no TLS/),
  ]);
});

test('the context that CDK itself passes is no flag', () => {
  const context = {
    'aws:cdk:bundling-stacks': ['**'],
    '@aws-cdk/core:failSynthOnValidationErrors': false,
    'vpc-provider:account=123456789012:filter.vpc-id=vpc-1:region=eu-central-1': {},
    'acknowledged-issue-numbers': [1],
  };
  expect(problems(context)).toEqual([]);
  expect(problems({ 'alarm-email': 'someone@example.org' })).toHaveLength(1);
});

test('zones are as many as the stage has, of a network that is made', () => {
  expect(read({ zones: 'us-east-1a,us-east-1b' }).zones).toEqual(['us-east-1a', 'us-east-1b']);
  expect(problems({ zones: 'us-east-1a,us-east-1b', stage: 'prod' })).toEqual([
    '-c zones: names 2 of the 3 zones that stage prod has',
  ]);
  for (const network of [{ vpcId: 'vpc-0123456789abcdef0' }, given])
    expect(problems({ ...network, zones: 'us-east-1a,us-east-1b' })).toEqual([
      '-c zones: is for a network that is made, and with these flags none is',
    ]);
});

const arn = 'arn:aws:es:eu-central-1:123456789012:domain/of-others';
test.for(['https://vpc-of-others-abc123.aos.eu-central-1.on.aws', 'https://abc123.eu-central-1.aoss.amazonaws.com'])(
  '%s does not name its domain, so its ARN is asked for',
  (opensearchUrl) => {
    expect(problems({ ...given, opensearchUrl })).toEqual([
      expect.stringMatching(/^-c opensearchUrl: is an address of AWS .*-c searchDomainArn/),
    ]);
    expect(problems({ ...given, opensearchUrl, searchDomainArn: arn })).toEqual([]);
  },
);

test('the ARN of a search domain needs the address of the domain', () => {
  expect(problems({ searchDomainArn: arn })).toEqual([expect.stringContaining('-c opensearchUrl: is missing')]);
});

test('a URL of MySQL and the name of its password belong together', () => {
  const vpcId = 'vpc-0123456789abcdef0';
  expect(problems({ mysqlUrl: given.mysqlUrl, vpcId })).toEqual([
    expect.stringContaining('-c mysqlSecret: is missing'),
  ]);
  expect(problems({ mysqlSecret: given.mysqlSecret, vpcId })).toEqual([
    expect.stringContaining('-c mysqlUrl: is missing'),
  ]);
});

test('the secrets of SQL users with fewer rights belong together, with that of the owner, and are three', () => {
  const [mysqlReaderSecret, mysqlWorkerSecret] = ['chat-reader', 'chat-worker'];
  expect(problems({ ...given, mysqlReaderSecret })).toEqual([
    expect.stringContaining('-c mysqlWorkerSecret: is missing'),
  ]);
  expect(problems({ ...given, mysqlWorkerSecret })).toEqual([
    expect.stringContaining('-c mysqlReaderSecret: is missing'),
  ]);
  expect(problems({ mysqlReaderSecret, mysqlWorkerSecret })).toEqual([
    expect.stringContaining('-c mysqlSecret: is missing'),
  ]);
  expect(problems({ ...given, mysqlReaderSecret, mysqlWorkerSecret: given.mysqlSecret })).toEqual([
    expect.stringContaining('a secret of its own'),
  ]);
});

const mysql = 'mysql://chat@db.example:3306/chat';
test.for([
  ['mysqlUrl', mysql, 'asks for no TLS with a verified certificate'],
  ['mysqlUrl', `${mysql}?charset=utf8mb4`, 'asks for no TLS'],
  // mysql2 fails at its first connection with these.
  ['mysqlUrl', `${mysql}?ssl=true`, 'asks for no TLS'],
  ['mysqlUrl', `${mysql}?ssl=Some%20Profile`, 'asks for no TLS'],
  ['mysqlUrl', `${mysql}?ssl=false`, 'asks for no TLS'],
  ['mysqlUrl', `${mysql}?ssl={}`, 'asks for no TLS with a verified certificate'],
  [
    'mysqlUrl',
    `${mysql}?ssl={"verifyIdentity":true,"rejectUnauthorized":false}`,
    'asks for no TLS with a verified certificate',
  ],
  ['opensearchUrl', 'http://search.example:9200', 'asks for no TLS'],
] as const)('%s=%s is refused: it %s, unless the operator says otherwise', ([flag, value, problem]) => {
  const [said, ...others] = problems({ ...given, [flag]: value });
  expect(others).toEqual([]);
  expect(said).toMatch(new RegExp(`^-c ${flag}: .*-c plaintext=allowed`));
  expect(said).toContain(problem);
  expect(problems({ ...given, [flag]: value, plaintext: 'allowed' })).toEqual([]);
  // On an emulator, the servers are on this machine.
  expect(problems({ ...given, [flag]: value, stage: 'local' })).toEqual([]);
});

test.for([
  `${mysql}?ssl=Amazon%20RDS`,
  `${mysql}?ssl=${encodeURIComponent('{"ca":"…"}')}`,
  `${mysql}?ssl=${encodeURIComponent('{"verifyIdentity":true}')}`,
])('%s asks for TLS', (mysqlUrl) => {
  expect(problems({ ...given, mysqlUrl })).toEqual([]);
});

test('MySQL without OpenSearch, or the other way round, needs a network that reaches both', () => {
  const { mysqlUrl, mysqlSecret, opensearchUrl } = given;
  for (const one of [{ mysqlUrl, mysqlSecret }, { opensearchUrl }]) {
    expect(problems(one)).toEqual([expect.stringContaining('-c vpcId: is missing')]);
    expect(problems({ ...one, vpcId: 'vpc-0123456789abcdef0' })).toEqual([]);
  }
});

test('on an emulator, SQL and search are given', () => {
  expect(problems({ stage: 'local' })).toEqual([
    expect.stringContaining('-c mysqlUrl: is missing'),
    expect.stringContaining('-c opensearchUrl: is missing'),
  ]);
});
