import { describe, expect, test } from 'vitest';
import { type AwsQueue, awsQueues, type WorkerName, workerName } from '../../functions/queues.ts';
import { type FunctionName, functions } from '../../infra/functions.ts';
import { everyStage, existingServers, synthesize } from '../support/infra/synthesis.ts';
import type { Statement, SynthesizedFunction } from '../support/infra/synthesized-stack.ts';

const { data, service } = synthesize(everyStage.prod);
const id = (type: string, pattern?: RegExp) => data.one(type, pattern).id;

/** The names of resources in this test, by their logical ids in the data stack. */
const resourceNames = new Map([
  [id('AWS::DynamoDB::Table'), 'ledger'],
  ...awsQueues.flatMap((name): [string, string][] => [
    [id('AWS::SQS::Queue', new RegExp(`^${name}Queue[0-9A-F]{8}$`, 'i')), `${name} queue`],
    [id('AWS::SQS::Queue', new RegExp(`^${name}QueueDeadLetters`, 'i')), `${name} dead letters`],
  ]),
  [id('AWS::RDS::DBInstance'), 'SQL owner'],
  [id('AWS::SecretsManager::Secret', /^DatabaseReaderSecret/), 'SQL reader'],
  [id('AWS::SecretsManager::Secret', /^DatabaseWorkerSecret/), 'SQL worker'],
  [id('AWS::SecretsManager::Secret', /^AdminKey/), 'admin key'],
  [id('AWS::SecretsManager::Secret', /^SystemSecret/), 'system secret'],
  [id('AWS::OpenSearchService::Domain'), 'search'],
  [service.one('AWS::AppSync::Api').id, 'feed'],
  ...['Partition', 'Region', 'AccountId'].map((name): [string, string] => [`AWS::${name}`, name]),
]);

interface Reference {
  Ref?: string;
  'Fn::GetAtt'?: [string, string];
  'Fn::Join'?: [string, unknown[]];
}

function nameOf(resource: unknown, ownLog: string): string {
  if (typeof resource === 'string') return resource;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = resource as Reference;
  if (join) return join[1].map((part) => nameOf(part, ownLog)).join('');
  const of = Ref ?? attribute?.[0] ?? '';
  return of === ownLog ? 'its own log' : (resourceNames.get(of) ?? `another resource: ${of}`);
}

/** Returns the permissions in the statements, as `action resource`. */
const permissionsIn = (statements: Statement[], ownLog = ''): string[] =>
  statements.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((each) => `${action} ${nameOf(each, ownLog)}`)),
  );

/** Returns the permissions of a function. */
const permissionsOf = ({ statements, properties }: SynthesizedFunction): string[] =>
  permissionsIn(statements, properties.LoggingConfig.LogGroup.Ref).sort();

/** The permissions of every function: its log, and traces, which have no ARN to name. */
const basic = [
  'logs:CreateLogStream its own log',
  'logs:PutLogEvents its own log',
  'xray:PutTelemetryRecords *',
  'xray:PutTraceSegments *',
];
/** Lambda uses the role of the function to create its network interfaces, which have no ARN before. */
const inNetwork = [
  'ec2:AssignPrivateIpAddresses *',
  'ec2:CreateNetworkInterface *',
  'ec2:DeleteNetworkInterface *',
  'ec2:DescribeNetworkInterfaces *',
  'ec2:DescribeSubnets *',
  'ec2:UnassignPrivateIpAddresses *',
];
const ledger = (...actions: string[]) => actions.map((action) => `dynamodb:${action} ledger`);
const sql = (...users: ('reader' | 'worker' | 'owner')[]) => [
  ...inNetwork,
  ...users.map((user) => `secretsmanager:GetSecretValue SQL ${user}`),
];
const adminKey = 'secretsmanager:GetSecretValue admin key';
const systemSecret = 'secretsmanager:GetSecretValue system secret';
const worksOn = (queue: AwsQueue) => [
  ...['ReceiveMessage', 'ChangeMessageVisibility', 'GetQueueUrl', 'DeleteMessage', 'GetQueueAttributes'].map(
    (action) => `sqs:${action} ${queue} queue`,
  ),
  `sqs:SendMessage ${queue} dead letters`,
];
const storeQueue = 'sqs:SendMessage store queue';
// BatchWriteItem parks the writes that the store queue does not accept. BatchGetItem reads the parent.
const createNew = [...ledger('BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'), storeQueue];
// Every function of a route below an application reads access tokens, with the system secret.
const create = [...createNew, systemSecret];
const edit = [...ledger('BatchGetItem', 'UpdateItem', 'BatchWriteItem'), storeQueue, systemSecret];
const remove = [...ledger('BatchGetItem', 'UpdateItem', 'PutItem', 'BatchWriteItem'), storeQueue, systemSecret];
const read = [...sql('reader'), ...ledger('BatchGetItem'), systemSecret];
const search = [...read, 'es:ESHttpPost search/messages/_search'];

/** The permissions of each worker other than those for its own queue. */
const ofWorkers: Partial<Record<AwsQueue, string[]>> = {
  store: [
    ...sql('worker'),
    ...awsQueues.filter((name) => name !== 'store').map((name) => `sqs:SendMessage ${name} queue`),
  ],
  search: [
    ...sql('worker'),
    'es:ESHttpGet search/_alias/messages-writes',
    'es:ESHttpPut search/messages-writes-?/_bulk',
    'es:ESHttpPut search/messages-writes-??/_bulk',
    'es:ESHttpPut search/messages-writes-???/_bulk',
  ],
  // Outside the network of SQL: it publishes what the store worker has read.
  feed: [
    ...ledger('BatchGetItem'),
    ...['chats', 'applications'].map(
      (namespace) =>
        `appsync:EventPublish arn:Partition:appsync:Region:AccountId:apis/feed/channelNamespace/${namespace}`,
    ),
  ],
};
const workers = Object.fromEntries(
  awsQueues.map((name) => [workerName(name), [...worksOn(name), ...(ofWorkers[name] ?? [])]]),
) as Record<WorkerName, string[]>;

/** The permissions of each function other than the basic ones. */
const allowed: Record<FunctionName, string[]> = {
  createApplication: [...createNew, adminKey],
  createAccessToken: [...ledger('BatchGetItem'), systemSecret],
  getFeed: [...ledger('BatchGetItem'), systemSecret],
  endAccessTokens: [...ledger('BatchGetItem', 'UpdateItem'), systemSecret],
  createChat: create,
  createMessage: create,
  createMessages: create,
  editApplication: edit,
  editChat: edit,
  // An access token edits only messages of its own, and SQL has their senders.
  editMessage: [...edit, ...sql('reader')],
  deleteApplication: remove,
  deleteChat: remove,
  deleteMessage: [...remove, ...sql('reader')],
  listApplications: [...sql('reader'), systemSecret, adminKey],
  getApplication: read,
  listChats: read,
  getChat: read,
  listMessages: read,
  listChatChanges: read,
  listApplicationChanges: read,
  getMessage: read,
  searchChat: search,
  searchApplication: search,
  getHealth: [],
  getOpenapi: [],
  getDocs: [],
  getConsole: [],
  // It reads the access generation, like every function that takes access tokens.
  feedAuthorizer: [...ledger('BatchGetItem'), systemSecret],
  fallback: [],
  ...workers,
  rollUpSchedule: [...sql('worker'), ...ledger('BatchGetItem')],
  purgeSchedule: [
    ...sql('worker'),
    ...ledger('BatchGetItem', 'Query', 'UpdateItem', 'BatchWriteItem'),
    'es:ESHttpPost search/messages-writes/_delete_by_query',
  ],
  sweepSchedule: [...ledger('Query', 'BatchWriteItem'), storeQueue],
  rotateSystemSecret: [systemSecret, 'secretsmanager:PutSecretValue system secret'],
  migrate: [
    ...sql('owner', 'reader', 'worker'),
    'es:ESHttpHead search/_alias/messages',
    'es:ESHttpGet search/_alias/messages',
    'es:ESHttpHead search/_alias/messages-writes',
    'es:ESHttpPost search/_index_template/messages',
    'es:ESHttpPut search/messages-1',
    'es:ESHttpPost search/_aliases',
    'es:ESHttpGet search/messages/_mapping',
    ...['?', '??', '???'].map((number) => `es:ESHttpPost search/messages-${number}/_mapping`),
  ],
};

describe('permissions', () => {
  test.each(Object.keys(functions) as FunctionName[])(
    'the function %s has exactly the permissions it needs',
    (name) => {
      expect(permissionsOf(service.function(name))).toEqual([...basic, ...allowed[name]].sort());
    },
  );

  test('no two functions share a role, and no role has a managed or inline policy of AWS', () => {
    const roles = [...service.functions.values()].map(({ properties }) => properties.Role['Fn::GetAtt'][0]);
    expect(new Set(roles).size).toBe(roles.length);
    for (const role of roles) {
      const { ManagedPolicyArns, Policies } = service.resources[role]?.Properties ?? {};
      expect([role, ManagedPolicyArns, Policies]).toEqual([role, undefined, undefined]);
    }
  });

  test('only actions on resources without an ARN are allowed on all resources', () => {
    for (const { statements } of service.functions.values())
      for (const { Action, Resource, Effect } of statements) {
        expect(Effect).toBe('Allow');
        expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
        if (Resource === '*') expect([Action].flat().join()).toMatch(/^(xray:Put|ec2:)/);
        else expect(JSON.stringify(Resource)).not.toContain('*');
      }
  });
});

describe('the policy of operators, who run script/ops', () => {
  const { id: policyId, resource } = data.one('AWS::IAM::ManagedPolicy');
  const { Statement: statements } = resource.Properties.PolicyDocument as { Statement: Statement[] };

  test('the policy of operators allows exactly what script/ops needs', () => {
    const indexes = (method: string, suffix = '') =>
      ['?', '??', '???'].map((number) => `es:ESHttp${method} search/messages-${number}${suffix}`);
    const restored = ['Scan', 'Query', 'BatchGetItem', 'PutItem', 'UpdateItem'].flatMap((action) =>
      ['ledger', 'ledger-restored'].map((table) => `dynamodb:${action} ${table}`),
    );
    const queueActions = awsQueues.flatMap((name) => [
      `sqs:SendMessage ${name} queue`,
      ...['GetQueueAttributes', 'ReceiveMessage', 'ChangeMessageVisibility', 'DeleteMessage'].map(
        (action) => `sqs:${action} ${name} dead letters`,
      ),
    ]);
    expect([...new Set(permissionsIn(statements))].sort()).toEqual(
      [
        ...restored,
        ...queueActions,
        'secretsmanager:GetSecretValue SQL worker',
        'es:ESHttpPost search/messages/_search',
        'es:ESHttpGet search/messages/_doc/*',
        'es:ESHttpGet search/_alias/messages-writes',
        ...['?', '??', '???'].map((number) => `es:ESHttpPut search/messages-writes-${number}/_bulk`),
        'es:ESHttpGet search/messages-*',
        'es:ESHttpGet search/messages/_count',
        'es:ESHttpPost search/_index_template/messages',
        ...indexes('Put'),
        ...indexes('Delete'),
        ...indexes('Post', '/_mapping'),
        ...indexes('Put', '/_settings'),
        'es:ESHttpPost search/_aliases',
      ].sort(),
    );
  });

  test('the policy of operators has fewer than 6,144 characters, the limit of a managed policy', () => {
    const longArn = `arn:aws:service:ap-southeast-2:123456789012:${'x'.repeat(60)}`;
    const text = JSON.stringify(statements).replaceAll(/\{"(Fn::GetAtt|Ref)":[^}]*\}/g, longArn);
    expect(text.length).toBeLessThan(6_144);
  });

  test('the policy of operators is an output of the data stack, and nobody has it by default', () => {
    expect(data.outputs.OperationsPolicy?.Value).toEqual({ Ref: policyId });
    const { Roles = [], Users = [], Groups = [] } = resource.Properties;
    expect([...Roles, ...Users, ...Groups]).toEqual([]);
  });

  test('with an existing database and search domain, the policy of operators names their secret and domain', () => {
    const opensearchUrl = 'https://vpc-of-others-abc123.eu-central-1.es.amazonaws.com';
    const existing = synthesize({ ...everyStage.prod, ...existingServers, opensearchUrl }).data;
    const text = JSON.stringify(existing.one('AWS::IAM::ManagedPolicy').resource);
    expect(text).toContain(`:secret:${existingServers.mysqlSecret}-??????`);
    expect(text).toContain(':domain/of-others/messages/_search');
  });
});

test('an existing secret with the admin key is read by its name', () => {
  const named = synthesize({ ...everyStage.prod, adminKeySecret: 'chat/key' }).service;
  for (const name of ['createApplication', 'listApplications'] as const) {
    const { environment, statements } = named.function(name);
    expect(environment.ADMIN_KEY_SECRET).toBe('chat/key');
    expect(JSON.stringify(statements)).toContain(':secret:chat/key-??????');
  }
});

test('the function of CDK that calls the migration has no other permission', () => {
  const ours = new Set([...service.functions.values()].map(({ id }) => id));
  const others = service.ofType('AWS::Lambda::Function').filter(([name]) => !ours.has(name));
  expect(others.map(([name]) => name)).toEqual([expect.stringMatching(/^AWSCDKTrigger/)]);
  const { ManagedPolicyArns, Policies } = service.one('AWS::IAM::Role', /^AWSCDKTrigger/).resource.Properties;
  expect(JSON.stringify(ManagedPolicyArns)).toMatch(
    /^\[\{"Fn::Sub":"[^"]*service-role\/AWSLambdaBasicExecutionRole"\}\]$/,
  );
  expect(
    Policies.flatMap((policy: { PolicyDocument: { Statement: object[] } }) => policy.PolicyDocument.Statement),
  ).toEqual([
    {
      Effect: 'Allow',
      Action: ['lambda:InvokeFunction'],
      Resource: [{ 'Fn::Join': ['', [{ 'Fn::GetAtt': [service.function('migrate').id, 'Arn'] }, ':*']] }],
    },
  ]);
});
