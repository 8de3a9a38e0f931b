import { expect, test } from 'vitest';
import { stages } from '../../infra/config.ts';
import { InvalidFlags, readFlags } from '../../infra/flags.ts';
import { given } from '../support/synthesis.ts';

const read = (flags: Record<string, unknown>) => readFlags((flag) => flags[flag]);
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
  expect(read({})).toEqual({ name: 'dev', stage: stages.dev, rollupMinutes: 1 });
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

test('all that is wrong is said at once', () => {
  expect(problems({ stage: '?', mysqlUrl: '?', rollupMinutes: '?' })).toHaveLength(3);
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
