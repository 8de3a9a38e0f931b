import { App, Stack } from 'aws-cdk-lib';
import { type IVpc, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { type CfnDBProxy, DatabaseInstance, DatabaseInstanceEngine, MysqlEngineVersion } from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { createPool } from 'mysql2';
import { describe, expect, test } from 'vitest';
import { addProxy } from '../../infra/constructs/database-proxy.ts';
import { everyStage, existingServers, synthesize } from '../support/infra/synthesis.ts';

const prod = synthesize(everyStage.prod);
const dev = synthesize(everyStage.dev);

describe('on an emulator', () => {
  const { account, data, service, stacks } = synthesize(everyStage.local);

  test('the stacks of stage local contain only resources that emulators support, and no network', () => {
    const types = [account, data, service].flatMap(({ resources }) => Object.values(resources).map(({ Type }) => Type));
    const services = new Set(types.map((type) => type.split('::')[1]));
    expect([...services].sort()).toEqual([
      'ApiGateway',
      'DynamoDB',
      'Events',
      'IAM',
      'Lambda',
      'Logs',
      'SQS',
      'SecretsManager',
    ]);
    for (const { properties } of service.functions.values()) expect(properties.VpcConfig).toBeUndefined();
    expect(service.text).not.toContain('Fn::GetStackOutput');
  });

  test('functions of stage local get the URLs of SQL and search, and the name of the secret', () => {
    expect(service.function('searchChat').environment).toMatchObject({
      MYSQL_URL: existingServers.mysqlUrl,
      MYSQL_SECRET: existingServers.mysqlSecret,
      OPENSEARCH_URL: existingServers.opensearchUrl,
    });
  });

  test('anyone may create and list applications in stage local, whose stacks can only be deployed to the account of emulators', () => {
    for (const name of ['createApplication', 'listApplications'] as const)
      expect(service.function(name).environment).toMatchObject({ ADMIN_KEY_SECRET: 'open' });
    for (const stack of Object.values(stacks)) expect(stack.account).toBe('000000000000');
  });
});

test.each(['dev', 'prod'] as const)('stage %s requires an admin key that CloudFormation generates', (stage) => {
  const { data, service } = synthesize(everyStage[stage]);
  const key = data.one('AWS::SecretsManager::Secret', /^AdminKey/);
  expect(key.resource.Properties.GenerateSecretString).toMatchObject({ PasswordLength: 43 });
  for (const name of ['createApplication', 'listApplications'] as const)
    expect(service.function(name).environment).toMatchObject({ ADMIN_KEY_SECRET: { Ref: key.id } });
  expect(data.outputs.AdminKeySecret?.Value).toEqual({ Ref: key.id });
});

describe('the system secret', () => {
  test('the system secret starts with a key that CloudFormation generates', () => {
    for (const { data } of [dev, prod, synthesize(everyStage.local)])
      expect(data.one('AWS::SecretsManager::Secret', /^SystemSecret/).resource.Properties.GenerateSecretString).toEqual(
        {
          SecretStringTemplate: '{}',
          GenerateStringKey: 'key',
          PasswordLength: 43,
          ExcludePunctuation: true,
        },
      );
  });

  test('the system secret gets a new key each month from a function that only Secrets Manager can call', () => {
    const { id, properties } = prod.service.function('rotateSystemSecret');
    const { SecretId, ...rotation } = prod.service.one('AWS::SecretsManager::RotationSchedule').resource.Properties;
    expect(rotation).toEqual({
      RotationLambdaARN: { 'Fn::GetAtt': [id, 'Arn'] },
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediatelyOnUpdate: false,
    });
    const permissions = prod.service
      .ofType('AWS::Lambda::Permission')
      .map(([, { Properties }]) => Properties)
      .filter(({ FunctionName }) => FunctionName['Fn::GetAtt'][0] === id);
    expect(permissions).toMatchObject([{ Principal: 'secretsmanager.amazonaws.com', SourceArn: SecretId }]);
    expect(properties.VpcConfig).toBeUndefined();
  });

  test('the system secret is not rotated on an emulator', () => {
    const { service } = synthesize(everyStage.local);
    expect(service.ofType('AWS::SecretsManager::RotationSchedule')).toEqual([]);
    expect(service.functions.has('rotateSystemSecret')).toBe(false);
  });
});

describe('the database', () => {
  const properties = prod.data.one('AWS::RDS::DBInstance').resource.Properties;
  const proxy = prod.data.one('AWS::RDS::DBProxy').resource.Properties;

  test('the database is MySQL 8.4, private and encrypted, and requires TLS', () => {
    expect(properties).toMatchObject({
      Engine: 'mysql',
      // A pinned minor version would fail once RDS has upgraded past it or withdrawn it.
      EngineVersion: '8.4',
      AutoMinorVersionUpgrade: true,
      PubliclyAccessible: false,
      StorageEncrypted: true,
    });
    const { Parameters } = prod.data.one('AWS::RDS::DBParameterGroup').resource.Properties;
    expect(Parameters).toEqual({ require_secure_transport: '1' });
  });

  test('the database has a standby in prod and none in dev', () => {
    expect([properties.MultiAZ, dev.data.one('AWS::RDS::DBInstance').resource.Properties.MultiAZ]).toEqual([
      true,
      false,
    ]);
  });

  test('the database has an owner whose password RDS generates, stores and rotates, so that no template contains it', () => {
    expect(properties).toMatchObject({ ManageMasterUserPassword: true });
    expect(properties).not.toHaveProperty('MasterUserPassword');
  });

  test('the database has a user for reads and a user for workers and schedules, with generated passwords', () => {
    for (const [{ resource }, username] of [
      [reader, 'chat_reader'],
      [worker, 'chat_worker'],
    ] as const)
      expect(resource.Properties.GenerateSecretString).toEqual({
        SecretStringTemplate: JSON.stringify({ username }),
        GenerateStringKey: 'password',
        PasswordLength: 43,
        ExcludePunctuation: true,
      });
    const users = { reads: { Ref: reader.id }, work: { Ref: worker.id }, migration: owner };
    for (const { environment } of prod.service.functions.values())
      if (environment.MYSQL_URL)
        expect(environment.MYSQL_SECRET).toEqual(users[environment.MYSQL_USE as keyof typeof users]);
    expect(prod.service.function('migrate').environment).toMatchObject({
      MYSQL_READER_SECRET: users.reads,
      MYSQL_WORKER_SECRET: users.work,
    });
  });

  test('the database has no log that contains queries', () => {
    expect(properties.EnableCloudwatchLogsExports).toEqual(['error']);
    expect(proxy.DebugLogging ?? false).toBe(false);
  });

  const owner = { 'Fn::GetAtt': [prod.data.one('AWS::RDS::DBInstance').id, 'MasterUserSecret.SecretArn'] };
  const secretOf = (pattern: RegExp) => prod.data.one('AWS::SecretsManager::Secret', pattern);
  const [reader, worker] = [secretOf(/^DatabaseReaderSecret/), secretOf(/^DatabaseWorkerSecret/)];

  test('the database is reached through a proxy that requires TLS and the password of the owner, the reader or the worker', () => {
    expect(proxy).toMatchObject({ EngineFamily: 'MYSQL', RequireTLS: true });
    expect(proxy.Auth).toEqual(
      [owner, { Ref: reader.id }, { Ref: worker.id }].map((SecretArn) =>
        expect.objectContaining({ AuthScheme: 'SECRETS', SecretArn }),
      ),
    );
    const { Statement } = prod.data.one('AWS::IAM::Policy', /^DatabaseProxyRole/).resource.Properties.PolicyDocument;
    const readable = new Set(Statement.map(({ Resource }: { Resource: object }) => JSON.stringify(Resource)));
    expect([...readable]).toEqual([owner, { Ref: reader.id }, { Ref: worker.id }].map((each) => JSON.stringify(each)));
    const { MYSQL_URL } = prod.service.function('storeWorker').environment;
    const { id } = prod.data.one('AWS::RDS::DBProxy');
    expect(MYSQL_URL).toMatchObject({ 'Fn::Join': ['', expect.arrayContaining([{ 'Fn::GetAtt': [id, 'Endpoint'] }])] });
  });

  test('the database has a proxy whose name changes with its instance and subnets, because CloudFormation creates the new proxy before it deletes the old one', () => {
    const proxyOf = (instanceId: string, subnets: number) => {
      const stack = new Stack(new App({ analyticsReporting: false }), 'ChatSystem-prod-Data');
      const made = new Vpc(stack, 'Vpc', { availabilityZones: ['a', 'b', 'c'] });
      // CDK's own types don't agree under exactOptionalPropertyTypes.
      const vpc = made as IVpc;
      const instance = new DatabaseInstance(stack, instanceId, {
        vpc,
        engine: DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.of('8.4', '8.4') }),
      });
      const network = {
        vpc,
        subnets: made.privateSubnets.slice(0, subnets),
        functions: new SecurityGroup(stack, 'Functions', { vpc }),
      };
      return addProxy(stack, 'Proxy', { instance, secrets: [instance.secret as ISecret], network, port: 3306 });
    };
    const nameOf = (...args: Parameters<typeof proxyOf>) =>
      (proxyOf(...args).node.defaultChild as CfnDBProxy).dbProxyName;
    const names = [nameOf('Instance', 2), nameOf('Instance2', 2), nameOf('Instance', 3), nameOf('Instance2', 3)];
    expect(new Set(names).size).toBe(4);
    expect(nameOf('Instance', 2)).toBe(names[0]);
    // RDS allows letters, digits and single hyphens, and at most 63 characters.
    for (const name of [...names, proxy.DBProxyName])
      expect(name).toMatch(/^(?=.{1,63}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/);
  });

  test('the database has a proxy that does not pin connections for the session settings that its init query applies', () => {
    const { ConnectionPoolConfigurationInfo: pool } = prod.data.one('AWS::RDS::DBProxyTargetGroup').resource.Properties;
    expect(pool.SessionPinningFilters).toEqual(['EXCLUDE_VARIABLE_SETS']);
    expect(pool.InitQuery).toMatch(
      /^SET SESSION [^;]*STRICT_ALL_TABLES[^;]*innodb_lock_wait_timeout[^;]*READ-COMMITTED'$/,
    );
  });

  test('the database has a URL with which mysql2 verifies the certificate and its host name', () => {
    const { MYSQL_URL } = prod.service.function('storeWorker').environment;
    const parts = (MYSQL_URL as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
    const pool = createPool(parts.map((part) => (typeof part === 'string' ? part : 'host.example')).join(''));
    const { ssl } = (pool as unknown as { config: { connectionConfig: { ssl: object } } }).config.connectionConfig;
    expect(ssl).toMatchObject({ verifyIdentity: true, rejectUnauthorized: true });
    pool.end(() => undefined);
  });
});

test('the search domain is encrypted, requires HTTPS, and gets signed requests', () => {
  const { resource } = prod.data.one('AWS::OpenSearchService::Domain');
  expect(resource.Properties).toMatchObject({
    EncryptionAtRestOptions: { Enabled: true },
    NodeToNodeEncryptionOptions: { Enabled: true },
    DomainEndpointOptions: { EnforceHTTPS: true },
  });
  expect(resource.Properties.VPCOptions.SubnetIds).toHaveLength(3);
  expect(prod.service.function('searchChat').environment).toMatchObject({ OPENSEARCH_SIGNING: 'aws' });
});

describe('the migration', () => {
  test.each([
    ['prod', prod],
    ['dev', dev],
  ])(
    'the migration runs in stage %s before CloudFormation changes any other function or the API',
    (_stage, { service }) => {
      const { id } = service.one('Custom::Trigger');
      const others = [...service.functions].filter(([name]) => name !== 'migrate').map(([, fn]) => fn.id);
      expect(others.length).toBeGreaterThan(20);
      const users = [
        ...others.map((each) => [each, service.resources[each]] as const),
        ...service.ofType('AWS::ApiGateway::Deployment'),
        ...service.ofType('AWS::Lambda::EventSourceMapping'),
        ...service.ofType('AWS::Events::Rule'),
      ];
      for (const [user, resource] of users)
        expect([user, resource?.DependsOn]).toEqual([user, expect.arrayContaining([id])]);
    },
  );

  test('CloudFormation changes the store worker before the functions that return changes', () => {
    const storeWorker = prod.service.function('storeWorker').id;
    for (const name of ['listChatChanges', 'listApplicationChanges'] as const) {
      const { id } = prod.service.function(name);
      expect(prod.service.resources[id]?.DependsOn, name).toContain(storeWorker);
    }
  });

  test('the migration runs again when its function changes, and fails the deployment when it fails', () => {
    const { Properties } = prod.service.one('Custom::Trigger').resource;
    const version = prod.service.resources[Properties.HandlerArn.Ref];
    expect(version?.Properties.FunctionName.Ref).toBe(prod.service.function('migrate').id);
    // With invocation type `Event`, the deployment would not wait for the result.
    expect(Properties).toMatchObject({ InvocationType: 'RequestResponse', ExecuteOnHandlerChange: true });
  });

  test('the migration also runs with existing servers, but not in stage local, where script/stack migrates', () => {
    expect(synthesize({ stage: 'dev', ...existingServers }).service.ofType('Custom::Trigger')).toHaveLength(1);
    expect(synthesize(everyStage.local).service.ofType('Custom::Trigger')).toEqual([]);
  });
});

test('with an existing database, all functions use the one secret, or each uses that of its SQL user', () => {
  const secretsOf = (flags: object) => {
    const { service } = synthesize({ stage: 'prod', ...existingServers, ...flags });
    return (['getMessage', 'storeWorker', 'migrate'] as const).map((name) => {
      const { environment, statements } = service.function(name);
      const readable = JSON.stringify(statements).match(/(?<=:secret:)[\w-]+(?=-\?{6})/g);
      return [environment.MYSQL_SECRET, environment.MYSQL_READER_SECRET, environment.MYSQL_WORKER_SECRET, readable];
    });
  };
  const one = existingServers.mysqlSecret;
  expect(secretsOf({})).toEqual(Array.from({ length: 3 }, () => [one, undefined, undefined, [one]]));
  expect(secretsOf({ mysqlReaderSecret: 'reader', mysqlWorkerSecret: 'worker' })).toEqual([
    ['reader', undefined, undefined, ['reader']],
    ['worker', undefined, undefined, ['worker']],
    [one, 'reader', 'worker', [one, 'reader', 'worker']],
  ]);
});

test.each([
  ['existing', { ...existingServers, stage: 'prod', adminKeySecret: 'admin-key' }],
  ['created', { stage: 'prod' }],
])('with %s servers, no template contains a secret', (_which, flags) => {
  const { data, service } = synthesize(flags);
  for (const { environment } of service.functions.values())
    for (const [variable, value] of Object.entries(environment)) {
      expect(variable).not.toMatch(/PASSWORD|KEY$/);
      expect(JSON.stringify(value)).not.toMatch(/:\/\/[^/@]*:[^/@]*@/);
    }
  expect(data.text + service.text).not.toContain('resolve:secretsmanager');
});
