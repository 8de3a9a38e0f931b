import { describe, expect, test } from 'vitest';
import { functions } from '../../infra/functions.ts';
import { everyStage, existingServers, synthesize } from '../support/infra/synthesis.ts';

const { data, service } = synthesize(everyStage.prod);
const groupId = (pattern: RegExp) => ({ 'Fn::GetAtt': [data.one('AWS::EC2::SecurityGroup', pattern).id, 'GroupId'] });
const usesServers = (needs: string[]) =>
  needs.some((need) => ['store', 'searchIndex', 'database', 'searchCluster'].includes(need));

describe('a created network', () => {
  test('a created network contains the functions that use SQL or search, and no function that writes', () => {
    for (const [name, { properties }] of service.functions)
      expect([name, Boolean(properties.VpcConfig)]).toEqual([name, usesServers(functions[name].needs)]);
    expect(service.function('createMessage').properties.VpcConfig).toBeUndefined();
  });

  test('a created network has no route to the internet, and a private subnet in each of three availability zones', () => {
    for (const type of ['NatGateway', 'InternetGateway', 'EgressOnlyInternetGateway', 'VPCPeeringConnection'])
      expect(data.ofType(`AWS::EC2::${type}`)).toEqual([]);
    expect(data.ofType('AWS::EC2::Route')).toEqual([]);
    for (const [, { Properties }] of data.ofType('AWS::EC2::Subnet'))
      expect(Properties.MapPublicIpOnLaunch).toBe(false);
    expect(data.ofType('AWS::EC2::Subnet')).toHaveLength(3);
  });

  test('a created network logs the traffic that its security groups reject', () => {
    expect(data.one('AWS::EC2::FlowLog').resource.Properties).toMatchObject({ TrafficType: 'REJECT' });
  });

  test('a created network has endpoints for the three services that its functions call, restricted to resources and principals of this account', () => {
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
      '.sqs': Array.from({ length: 6 }, () => 'AWS::SQS::Queue'),
      '.secretsmanager': ['AWS::RDS::DBInstance', ...Array.from({ length: 4 }, () => 'AWS::SecretsManager::Secret')],
    });
    for (const { VpcEndpointType, PrivateDnsEnabled } of endpoints)
      expect(VpcEndpointType === 'Gateway' || PrivateDnsEnabled).toBe(true);
  });

  test('a created network lets only the functions connect to the proxy, the search domain and the endpoints, and only the proxy to the database', () => {
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

test('no security group allows all outbound traffic, because each has an inline egress rule, without which AWS would add such a rule', () => {
  for (const { data: each } of [everyStage.dev, everyStage.prod].map((flags) => synthesize(flags))) {
    const groups = each.ofType('AWS::EC2::SecurityGroup');
    expect(groups).toHaveLength(6);
    for (const [id, { Properties }] of groups) {
      const out = (Properties.SecurityGroupEgress ?? []).map((rule: { CidrIp?: string; IpProtocol: string }) => [
        rule.CidrIp,
        rule.IpProtocol,
      ]);
      expect([id, out.length > 0]).toEqual([id, true]);
      // The functions reach the gateway endpoints of AWS, which have public addresses, over HTTPS.
      const allowed = [['127.0.0.1/32', '-1'], ...(/^NetworkFunctions/.test(id) ? [['0.0.0.0/0', 'tcp']] : [])];
      expect([id, out]).toEqual([id, allowed]);
    }
  }
});

describe('an existing network', () => {
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

  test('an existing network contains database, proxy, search domain and functions in its private subnets, and gets no resources of its own', () => {
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

  test('an existing network contains the functions that use existing servers, and lets them connect to these', () => {
    const { data: inside, service: functionsInside } = inVpc(existingServers);
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

  test('an existing network can be used with an existing database and a created search domain', () => {
    const { data: inside } = inVpc({ mysqlUrl: existingServers.mysqlUrl, mysqlSecret: existingServers.mysqlSecret });
    expect(inside.ofType('AWS::RDS::DBInstance')).toEqual([]);
    expect(inside.ofType('AWS::OpenSearchService::Domain')).toHaveLength(1);
  });
});

test('a created network is in the named availability zones, or in the first ones of the region', () => {
  const zoneCountOf = (flags: Record<string, string>) =>
    synthesize(flags)
      .data.ofType('AWS::EC2::Subnet')
      .map(([, { Properties }]) => Properties.AvailabilityZone);
  expect(zoneCountOf({ zones: 'us-east-1b,us-east-1d' })).toEqual(['us-east-1b', 'us-east-1d']);
  expect(zoneCountOf({})).toEqual([0, 1].map((i) => ({ 'Fn::Select': [i, { 'Fn::GetAZs': '' }] })));
});

test('functions sign their requests if searchDomainArn is set, whatever the URL of the domain', () => {
  const opensearchUrl = 'https://search.example.org';
  const searchDomainArn = 'arn:aws:es:eu-central-1:123456789012:domain/of-others';
  const { environment, statements } = synthesize({
    ...existingServers,
    opensearchUrl,
    searchDomainArn,
  }).service.function('searchChat');
  expect(environment).toMatchObject({ OPENSEARCH_URL: opensearchUrl, OPENSEARCH_SIGNING: 'aws' });
  const requests = statements.filter(({ Action }) => String(Action).startsWith('es:'));
  expect(requests.map(({ Resource }) => Resource)).toEqual([`${searchDomainArn}/messages/_search`]);
  const unsigned = synthesize({ ...existingServers, opensearchUrl }).service.function('searchChat');
  expect(unsigned.environment).not.toHaveProperty('OPENSEARCH_SIGNING');
});

test('functions sign their requests to an existing domain of AWS, and have permissions for their own requests only', () => {
  const opensearchUrl = 'https://vpc-of-others-abc123.eu-central-1.es.amazonaws.com';
  const { environment, statements } = synthesize({ ...existingServers, opensearchUrl }).service.function('searchChat');
  expect(environment).toMatchObject({ OPENSEARCH_URL: opensearchUrl, OPENSEARCH_SIGNING: 'aws' });
  const [request, ...others] = statements.filter(({ Action }) => String(Action).startsWith('es:'));
  expect(others).toEqual([]);
  expect(JSON.stringify(request?.Resource)).toContain(':domain/of-others/messages/_search');
});
