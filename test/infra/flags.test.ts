import { expect, test } from 'vitest';
import { InvalidConfig, readConfig } from '../../infra/config.ts';
import { given } from '../support/synthesis.ts';

const read = (flags: Record<string, unknown>) => readConfig((flag) => flags[flag]);
const problems = (flags: Record<string, unknown>): string[] => {
  try {
    read(flags);
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('without flags it is a stage to throw away, with servers of its own and counts every minute', () => {
  expect(read({})).toEqual({ stage: 'dev', rollupMinutes: 1, keepData: false });
});

test('any other stage keeps its data', () => {
  expect(read({ stage: 'production' })).toMatchObject({ stage: 'production', keepData: true });
});

test('flags come from the command line as text', () => {
  expect(read({ ...given, rollupMinutes: '5', adminKeySecret: 'chat/admin-key' })).toEqual({
    stage: 'dev',
    given,
    adminKeySecret: 'chat/admin-key',
    rollupMinutes: 5,
    keepData: false,
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
  ['rollupMinutes', '61', 'is more than 60'],
  ['rollupMinutes', '0', 'is less than 1'],
  ['rollupMinutes', '1.5', 'is not a whole number'],
  ['rollupMinutes', 'often', 'is not a number'],
  ['stage', 'My Stage', 'is not a name'],
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

test('SQL and search are given together or not at all', () => {
  expect(problems({ mysqlUrl: given.mysqlUrl })).toEqual([
    expect.stringContaining('-c mysqlSecret: is missing'),
    expect.stringContaining('-c opensearchUrl: is missing'),
  ]);
});
