import { describe, expect, test } from 'vitest';
import { functions } from '../../infra/functions.ts';
import { everyStage, given, synthesize } from '../support/synthesis.ts';

const { data, service } = synthesize(everyStage.prod);
const groupId = (pattern: RegExp) => ({ 'Fn::GetAtt': [data.one('AWS::EC2::SecurityGroup', pattern).id, 'GroupId'] });
const usesServers = (needs: string[]) =>
  needs.some((need) => ['store', 'searchIndex', 'database', 'searchCluster'].includes(need));

describe('a network of our own', () => {
  test('holds the functions that use SQL or search, and no write', () => {
    for (const [name, { properties }] of service.functions)
      expect([name, Boolean(properties.VpcConfig)]).toEqual([name, usesServers(functions[name].needs)]);
    expect(service.function('createMessage').properties.VpcConfig).toBeUndefined();
  });

  test('has no way out, and one in every zone of the search domain', () => {
    for (const type of ['NatGateway', 'InternetGateway', 'EgressOnlyInternetGateway', 'VPCPeeringConnection'])
      expect(data.ofType(`AWS::EC2::${type}`)).toEqual([]);
    expect(data.ofType('AWS::EC2::Route')).toEqual([]);
    for (const [, { Properties }] of data.ofType('AWS::EC2::Subnet'))
      expect(Properties.MapPublicIpOnLaunch).toBe(false);
    expect(data.ofType('AWS::EC2::Subnet')).toHaveLength(3);
  });

  test('logs what its security groups refuse', () => {
    expect(data.one('AWS::EC2::FlowLog').resource.Properties).toMatchObject({ TrafficType: 'REJECT' });
  });

  test('leads to the three services that functions in it call, and in them to what is ours', () => {
    const endpoints = data.ofType('AWS::EC2::VPCEndpoint').map(([, { Properties }]) => Properties);
    const reached = endpoints.map(({ ServiceName, PolicyDocument }) => {
      const [statement, ...others] = PolicyDocument.Statement;
      expect(others).toEqual([]);
      expect(statement.Condition).toEqual({ StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } });
      const typeOf = (one: {
        Ref?: string;
        'Fn::GetAtt'?: [string];
        'Fn::Join'?: [string, [object, string]];
      }): string => {
        const [named, suffix] = one['Fn::Join']?.[1] ?? [one, ''];
        const { Ref, 'Fn::GetAtt': attribute } = named as typeof one;
        return `${data.resources[Ref ?? attribute?.[0] ?? '']?.Type}${suffix}`;
      };
      return [ServiceName['Fn::Join'][1].at(-1), [statement.Resource].flat().map(typeOf)];
    });
    expect(Object.fromEntries(reached)).toEqual({
      '.dynamodb': ['AWS::DynamoDB::Table', 'AWS::DynamoDB::Table-restored'],
      '.sqs': Array.from({ length: 4 }, () => 'AWS::SQS::Queue'),
      '.secretsmanager': ['AWS::RDS::DBInstance', ...Array.from({ length: 4 }, () => 'AWS::SecretsManager::Secret')],
    });
    for (const { VpcEndpointType, PrivateDnsEnabled } of endpoints)
      expect(VpcEndpointType === 'Gateway' || PrivateDnsEnabled).toBe(true);
  });

  test('lets functions in to the proxy, the search domain and the endpoints, and nobody else', () => {
    const rules = data.ofType('AWS::EC2::SecurityGroupIngress').map(([, { Properties }]) => Properties);
    const functionsGroup = groupId(/^NetworkFunctions/);
    const proxy = groupId(/^DatabaseProxyGroup/);
    const from = (group: object) =>
      rules
        .filter(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId) === JSON.stringify(group))
        .map(({ GroupId }) => GroupId);
    const endpoints = [groupId(/Sqs/), groupId(/SecretsManager/)];
    expect(from(functionsGroup)).toHaveLength(4);
    expect(from(functionsGroup)).toEqual(expect.arrayContaining([proxy, groupId(/^SearchClusterGroup/), ...endpoints]));
    expect(from(proxy)).toEqual([groupId(/^DatabaseGroup/)]);
    expect(rules).toHaveLength(5);
    for (const [, { Properties }] of data.ofType('AWS::EC2::SecurityGroup'))
      expect(Properties.SecurityGroupIngress).toBeUndefined();
  });
});

test('no security group lets everything out: each has an egress rule of its own, without which AWS adds one that does', () => {
  for (const { data: each } of [everyStage.dev, everyStage.prod].map((flags) => synthesize(flags))) {
    const groups = each.ofType('AWS::EC2::SecurityGroup');
    expect(groups).toHaveLength(6);
    for (const [id, { Properties }] of groups) {
      const out = (Properties.SecurityGroupEgress ?? []).map((rule: { CidrIp?: string; IpProtocol: string }) => [
        rule.CidrIp,
        rule.IpProtocol,
      ]);
      expect([id, out.length > 0]).toEqual([id, true]);
      // The functions reach AWS's gateway endpoints, which have public addresses, by HTTPS.
      const allowed = [['127.0.0.1/32', '-1'], ...(/^NetworkFunctions/.test(id) ? [['0.0.0.0/0', 'tcp']] : [])];
      expect([id, out]).toEqual([id, allowed]);
    }
  }
});

describe('a network that is given', () => {
  const subnet = (name: string, zone: string) => ({
    subnetId: `subnet-${name}`,
    availabilityZone: zone,
    routeTableId: `rtb-${name}`,
  });
  const vpcId = 'vpc-0123456789abcdef0';
  const lookedUp = {
    [`vpc-provider:account=123456789012:filter.vpc-id=${vpcId}:region=eu-central-1:returnAsymmetricSubnets=true`]: {
      vpcId,
      vpcCidrBlock: '10.0.0.0/16',
      ownerAccountId: '123456789012',
      availabilityZones: [],
      subnetGroups: [
        { name: 'Public', type: 'Public', subnets: ['a', 'b', 'c'].map((zone) => subnet(`public-${zone}`, zone)) },
        { name: 'Private', type: 'Private', subnets: ['a', 'b', 'c'].map((zone) => subnet(`private-${zone}`, zone)) },
      ],
    },
  };
  const shell = { CDK_DEFAULT_ACCOUNT: '123456789012', CDK_DEFAULT_REGION: 'eu-central-1' };
  const inVpc = (flags: object) => synthesize({ stage: 'prod', vpcId, ...flags }, { context: lookedUp, shell });
  const privateSubnets = ['subnet-private-a', 'subnet-private-b', 'subnet-private-c'];

  test('holds database, proxy, search domain and functions, in its private subnets, and is left as it is', () => {
    const { data: inside, service: functionsInside } = inVpc({});
    expect(inside.one('AWS::RDS::DBProxy').resource.Properties.VpcSubnetIds).toEqual(privateSubnets);
    expect(inside.one('AWS::RDS::DBSubnetGroup').resource.Properties.SubnetIds).toEqual(privateSubnets);
    expect(inside.one('AWS::OpenSearchService::Domain').resource.Properties.VPCOptions.SubnetIds).toEqual(
      privateSubnets,
    );
    expect(functionsInside.function('storeWorker').properties.VpcConfig.SubnetIds).toEqual(privateSubnets);
    for (const type of ['VPC', 'Subnet', 'VPCEndpoint', 'RouteTable', 'FlowLog'])
      expect(inside.ofType(`AWS::EC2::${type}`)).toEqual([]);
  });

  test('is where functions are that use given servers, and lets them out to these', () => {
    const { data: inside, service: functionsInside } = inVpc(given);
    expect(functionsInside.function('storeWorker').properties.VpcConfig.SubnetIds).toEqual(privateSubnets);
    expect(functionsInside.function('createMessage').properties.VpcConfig).toBeUndefined();
    const { SecurityGroupEgress } = inside.one('AWS::EC2::SecurityGroup').resource.Properties;
    expect(SecurityGroupEgress.map(({ FromPort }: { FromPort: number }) => FromPort)).toEqual([
      undefined,
      443,
      3306,
      9200,
    ]);
  });

  test('may hold a database that is given and a search domain that is made', () => {
    const { data: inside } = inVpc({ mysqlUrl: given.mysqlUrl, mysqlSecret: given.mysqlSecret });
    expect(inside.ofType('AWS::RDS::DBInstance')).toEqual([]);
    expect(inside.ofType('AWS::OpenSearchService::Domain')).toHaveLength(1);
  });
});

test('a network that is made is in the zones that are named, or in the first ones of the region', () => {
  const zonesOf = (flags: Record<string, string>) =>
    synthesize(flags)
      .data.ofType('AWS::EC2::Subnet')
      .map(([, { Properties }]) => Properties.AvailabilityZone);
  expect(zonesOf({ zones: 'us-east-1b,us-east-1d' })).toEqual(['us-east-1b', 'us-east-1d']);
  expect(zonesOf({})).toEqual([0, 1].map((i) => ({ 'Fn::Select': [i, { 'Fn::GetAZs': '' }] })));
});

test('the ARN of a given search domain decides that requests are signed, whatever its address', () => {
  const opensearchUrl = 'https://search.example.org';
  const searchDomainArn = 'arn:aws:es:eu-central-1:123456789012:domain/of-others';
  const { environment, statements } = synthesize({ ...given, opensearchUrl, searchDomainArn }).service.function(
    'searchChat',
  );
  expect(environment).toMatchObject({ OPENSEARCH_URL: opensearchUrl, OPENSEARCH_SIGNING: 'aws' });
  const requests = statements.filter(({ Action }) => String(Action).startsWith('es:'));
  expect(requests.map(({ Resource }) => Resource)).toEqual([`${searchDomainArn}/messages/_search`]);
  const unsigned = synthesize({ ...given, opensearchUrl }).service.function('searchChat');
  expect(unsigned.environment).not.toHaveProperty('OPENSEARCH_SIGNING');
});

test('functions sign their requests to a given domain of AWS, and may make theirs alone', () => {
  const opensearchUrl = 'https://vpc-of-others-abc123.eu-central-1.es.amazonaws.com';
  const { environment, statements } = synthesize({ ...given, opensearchUrl }).service.function('searchChat');
  expect(environment).toMatchObject({ OPENSEARCH_URL: opensearchUrl, OPENSEARCH_SIGNING: 'aws' });
  const [request, ...others] = statements.filter(({ Action }) => String(Action).startsWith('es:'));
  expect(others).toEqual([]);
  expect(JSON.stringify(request?.Resource)).toContain(':domain/of-others/messages/_search');
});
