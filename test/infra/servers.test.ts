import { describe, expect, test } from 'vitest';
import { functions } from '../../infra/functions.ts';
import { given, synthesize } from '../support/synthesis.ts';

const stack = synthesize(given);

describe('with SQL and search given', () => {
  test('the stack has nothing but what emulators know, and no network', () => {
    const types = new Set(Object.values(stack.resources).map(({ Type }) => Type));
    expect(
      [...types]
        .map((type) => type.split('::')[1])
        .filter((service, i, all) => all.indexOf(service) === i)
        .sort(),
    ).toEqual(['ApiGateway', 'DynamoDB', 'Events', 'IAM', 'Lambda', 'Logs', 'SQS']);
    for (const { properties } of stack.functions.values()) expect(properties.VpcConfig).toBeUndefined();
  });

  test('functions know where they are, and the name of the secret', () => {
    expect(stack.function('searchChat').environment).toMatchObject({
      MYSQL_URL: given.mysqlUrl,
      MYSQL_SECRET: given.mysqlSecret,
      OPENSEARCH_URL: given.opensearchUrl,
    });
  });
});

describe('with SQL and search of its own', () => {
  const whole = synthesize();

  test('functions that use them are in their network, and a write never is', () => {
    for (const [name, { properties }] of whole.functions) {
      const uses = functions[name].needs.some((need) =>
        ['store', 'searchIndex', 'database', 'searchCluster'].includes(need),
      );
      expect([name, Boolean(properties.VpcConfig)]).toEqual([name, uses]);
    }
    expect(whole.function('createMessage').properties.VpcConfig).toBeUndefined();
  });

  test('the network has no way out', () => {
    expect(whole.ofType('AWS::EC2::NatGateway')).toEqual([]);
    expect(whole.ofType('AWS::EC2::InternetGateway')).toEqual([]);
    expect(whole.ofType('AWS::EC2::VPCEndpoint')).toHaveLength(3);
  });

  test('the database is private, encrypted, and takes TLS alone; its password is made where it is kept', () => {
    const { resource } = whole.one('AWS::RDS::DBInstance');
    expect(resource.Properties).toMatchObject({ PubliclyAccessible: false, StorageEncrypted: true });
    expect(JSON.stringify(resource.Properties.MasterUserPassword)).toContain('{{resolve:secretsmanager:');
    expect(whole.one('AWS::RDS::DBParameterGroup').resource.Properties.Parameters).toEqual({
      require_secure_transport: 'ON',
    });
    expect(JSON.stringify(whole.function('storeWorker').environment.MYSQL_URL)).toContain('?ssl=Amazon%20RDS');
  });

  test('the search domain is encrypted, and knows functions by their roles and requests', () => {
    expect(whole.one('AWS::OpenSearchService::Domain').resource.Properties).toMatchObject({
      EncryptionAtRestOptions: { Enabled: true },
      NodeToNodeEncryptionOptions: { Enabled: true },
      DomainEndpointOptions: { EnforceHTTPS: true },
    });
    const { environment, statements } = whole.function('searchChat');
    expect(environment).toMatchObject({ OPENSEARCH_SIGNING: 'aws' });
    const allowed = statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('es:')));
    expect(allowed).toEqual([
      {
        Action: 'es:ESHttpPost',
        Effect: 'Allow',
        Resource: { 'Fn::Join': ['', [expect.anything(), '/messages/_search']] },
      },
    ]);
  });

  test('the search worker asks where to write, and writes by the indexes’ own aliases alone', () => {
    const { statements } = whole.function('searchWorker');
    const paths = statements
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('es:')))
      .map(({ Action, Resource }) => [Action, JSON.stringify(Resource).replace(/.*?(\/[^"]*)".*/, '$1')]);
    expect(paths).toEqual([
      ['es:ESHttpGet', '/_alias/messages-writes'],
      ['es:ESHttpPost', '/messages-writes-*/_bulk'],
    ]);
  });

  test('tables and index are made once the servers can be reached, and before anything uses them', () => {
    const { id, resource } = whole.one('Custom::Trigger');
    for (const type of ['AWS::RDS::DBInstance', 'AWS::OpenSearchService::Domain', 'AWS::EC2::VPCEndpoint'])
      for (const [server] of whole.ofType(type)) expect(resource.DependsOn).toContain(server);
    const users = [
      ...whole.ofType('AWS::ApiGateway::Deployment'),
      ...whole.ofType('AWS::Lambda::EventSourceMapping'),
      ...whole.ofType('AWS::Events::Rule').filter(([rule]) => !rule.startsWith('SweepSchedule')),
    ];
    expect(users).toHaveLength(5);
    for (const [, { DependsOn }] of users) expect(DependsOn).toContain(id);
  });
});

test.each([
  ['given', { ...given, adminKeySecret: 'admin-key' }],
  ['its own', { stage: 'production', adminKeySecret: 'admin-key' }],
])('with servers %s, nobody reads a secret in the template', (_which, flags) => {
  for (const { environment } of synthesize(flags).functions.values())
    for (const [variable, value] of Object.entries(environment)) {
      expect(variable).not.toMatch(/PASSWORD|KEY$/);
      expect(JSON.stringify(value)).not.toMatch(/resolve:secretsmanager|:\/\/[^/@]*:[^/@]*@/);
    }
});
