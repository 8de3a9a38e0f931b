import { createHash } from 'node:crypto';
import { Duration, Names, Stack } from 'aws-cdk-lib';
import { Port } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ClientPasswordAuthType,
  type DatabaseInstance,
  type DatabaseProxy,
  SessionPinningFilter,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { proxyInitQuery } from '../../lib/store/mysql/session.ts';
import { closedGroup, type Network } from './network.ts';
import { allowReading } from './secret-access.ts';

interface ProxyProps {
  instance: DatabaseInstance;
  /** Of every user that comes through the proxy. */
  secrets: ISecret[];
  network: Network;
  port: number;
}

/**
 * The proxy in front of the database: a thousand functions that each hold a connection share the few hundred that the
 * server has, and a failover costs them no new connection.
 */
export function addProxy(
  scope: Construct,
  id: string,
  { instance, secrets, network, port }: ProxyProps,
): DatabaseProxy {
  const group = closedGroup(scope, `${id}Group`, network.vpc, 'RDS Proxy of chat-system');
  group.connections.allowFrom(network.functions, Port.tcp(port));
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('rds.amazonaws.com') });
  for (const secret of secrets) allowReading(role, secret);
  return instance.addProxy(id, {
    dbProxyName: nameOf(instance, network),
    vpc: network.vpc,
    vpcSubnets: { subnets: network.subnets },
    securityGroups: [group],
    role,
    secrets,
    requireTLS: true,
    clientPasswordAuthType: ClientPasswordAuthType.MYSQL_CACHING_SHA2_PASSWORD,
    // Every connection to the server begins as each of ours does, so whatever a client sets is what is set already, and
    // no reason to keep a connection to itself.
    initQuery: proxyInitQuery,
    sessionPinningFilters: [SessionPinningFilter.EXCLUDE_VARIABLE_SETS],
    // The rest is for a person who has to look.
    maxConnectionsPercent: 90,
    // A worker waits as long for a query; a reader has given up long before.
    borrowTimeout: Duration.seconds(20),
    // What a worker's prepared statement has kept to itself is free again soon after Lambda has frozen the worker.
    idleClientTimeout: Duration.minutes(5),
  });
}

/**
 * The proxy's name, which CloudFormation requires and CDK does not generate. It changes with everything of ours whose
 * change replaces the proxy: CloudFormation creates the new proxy before it deletes the old one, and a name is unique in
 * an account and region. (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html)
 */
function nameOf(instance: DatabaseInstance, { subnets }: Network): string {
  const subnetIds = Stack.of(instance).resolve(subnets.map(({ subnetId }) => subnetId)) as unknown;
  const hash = createHash('sha256').update(JSON.stringify(subnetIds)).digest('hex').slice(0, 8);
  // A name has at most 63 characters.
  return `${Names.uniqueResourceName(instance, { maxLength: 54 })}-${hash}`;
}
