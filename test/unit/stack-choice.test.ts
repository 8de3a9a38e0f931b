import { expect, test } from 'vitest';
import { chooseProvider, providerOf } from '../../tools/stack/providers/choice.ts';
import { choose, type Settings } from '../../tools/stack/settings.ts';
import { readWanted } from '../../tools/stack/wanted.ts';

const own = {
  AWS_ENDPOINT_URL: 'http://localhost:4566',
  MYSQL_URL: 'mysql://root:secret@localhost:3306/chat',
  OPENSEARCH_URL: 'http://localhost:9200',
};
const before: Settings = {
  provider: 'native',
  ports: { aws: 1001, mysql: 1002, opensearch: 1003 },
  mysqlPassword: 'p',
};
const docker = async () => true;
const noDocker = async () => false;

test('all invalid settings of the stack are named at once', () => {
  const given = { provider: 'podman', awsPort: '0', mysqlPort: '65536', opensearchPort: '9e3' };
  const read = () => readWanted(given, { ...own, MYSQL_URL: 'postgres://localhost/chat' });
  for (const told of [
    'docker, native, external',
    '--aws-port',
    '--mysql-port',
    '--opensearch-port',
    'MYSQL_URL must be',
  ])
    expect(read).toThrow(told);
});

test('two servers on one port are refused', () => {
  expect(() => readWanted({ awsPort: '4000', mysqlPort: '4000' }, {})).toThrow('must differ');
});

test('external servers are used only when all three are given', () => {
  expect(readWanted({}, own).external).toMatchObject({ awsEndpoint: own.AWS_ENDPOINT_URL });
  const { MYSQL_URL: _, ...two } = own;
  expect(readWanted({}, two).external).toBeUndefined();
});

test.each([
  ['docker when an engine is running', {}, {}, undefined, docker, 'docker'],
  ['native when none is running', {}, {}, undefined, noDocker, 'native'],
  ['external when the three variables are set', {}, own, undefined, docker, 'external'],
  ['the requested one in every case', { provider: 'native' }, own, undefined, docker, 'native'],
  ['the one that was chosen before', {}, {}, before, docker, 'native'],
  ['external even if another one was chosen before', {}, own, before, noDocker, 'external'],
] as const)('the provider is %s', async (_, given, environment, settings, answers, expected) => {
  const { name } = await chooseProvider(readWanted(given, environment), settings, answers);
  expect(name).toBe(expected);
});

test('environment variables that name this checkout’s own servers do not select the external provider', async () => {
  const { servers } = providerOf(before);
  const environment = {
    AWS_ENDPOINT_URL: servers.awsEndpoint,
    MYSQL_URL: servers.mysqlUrl,
    OPENSEARCH_URL: servers.opensearchUrl,
  };
  expect((await chooseProvider(readWanted({}, environment), before, noDocker)).name).toBe('native');
});

test('ports and the password are kept, and a requested port replaces the previous one', async () => {
  expect(await choose(readWanted({ mysqlPort: '2002' }, {}), before, 'native')).toEqual({
    ...before,
    ports: { ...before.ports, mysql: 2002 },
  });
});

test('a first choice takes free ports and a new password', async () => {
  const [one, other] = [
    await choose(readWanted({}, {}), undefined, 'native'),
    await choose(readWanted({}, {}), undefined, 'native'),
  ];
  expect(new Set(Object.values(one.ports)).size).toBe(3);
  expect(one.mysqlPassword).toMatch(/^[\w-]{24}$/);
  expect(one.mysqlPassword).not.toBe(other.mysqlPassword);
});

test('no address contains the password of a given database', () => {
  const { servers } = providerOf({
    ...before,
    provider: 'external',
    external: { awsEndpoint: own.AWS_ENDPOINT_URL, mysqlUrl: own.MYSQL_URL, opensearchUrl: own.OPENSEARCH_URL },
  });
  expect(servers.mysqlPassword).toBe('secret');
  expect(JSON.stringify(servers.fromFunctions) + servers.mysqlUrl).not.toContain('secret');
});
