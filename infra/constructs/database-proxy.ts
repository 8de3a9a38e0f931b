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
  /** The secrets of all SQL users that connect through the proxy. */
  secrets: ISecret[];
  network: Network;
  port: number;
}

/**
 * Adds an RDS Proxy in front of the database. Through it, a thousand function instances with one connection each share
 * the few hundred connections of the server, and keep their connections during a failover.
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
    // The init query applies our session settings to every server connection. Clients set the same values again, which
    // changes nothing, so the proxy does not have to pin their connections.
    initQuery: proxyInitQuery,
    sessionPinningFilters: [SessionPinningFilter.EXCLUDE_VARIABLE_SETS],
    // The remaining 10 % are for an operator who has to inspect the server.
    maxConnectionsPercent: 90,
    // Equal to the query timeout of workers. Reads time out long before.
    borrowTimeout: Duration.seconds(20),
    // Prepared statements of workers pin connections. This frees them soon after Lambda has frozen the worker.
    idleClientTimeout: Duration.minutes(5),
  });
}

/**
 * Returns the name of the proxy, which CloudFormation requires and CDK does not generate. The name depends on every
 * property whose change replaces the proxy: CloudFormation creates the new proxy before it deletes the old one, and
 * names are unique in an account and region.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html)
 */
function nameOf(instance: DatabaseInstance, { subnets }: Network): string {
  const subnetIds = Stack.of(instance).resolve(subnets.map(({ subnetId }) => subnetId)) as unknown;
  const hash = createHash('sha256').update(JSON.stringify(subnetIds)).digest('hex').slice(0, 8);
  // A name has at most 63 characters.
  return `${Names.uniqueResourceName(instance, { maxLength: 54 })}-${hash}`;
}
