import { Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISubnet,
  type IVpc,
  type IVpcEndpoint,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
  type VpcEndpoint,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** The network of database and search cluster, and of the functions that use them. */
export interface Network {
  readonly vpc: IVpc;
  /** One private subnet per availability zone. */
  readonly subnets: ISubnet[];
  /** The security group of the functions. It allows no inbound connections. */
  readonly functions: SecurityGroup;
}

/** The ARNs of the resources that the VPC endpoints give access to, by the action prefix of the service. */
export type EndpointResources = Record<'dynamodb' | 'sqs' | 'secretsmanager', string[]>;

interface CreatedNetworkProps {
  /** The names of the availability zones, or a number n for the first n zones of the region. */
  zones: string[] | number;
  logRetention: RetentionDays;
}

/** A created VPC without any route to or from the internet. */
export class CreatedNetwork extends Construct implements Network {
  readonly vpc: IVpc;
  readonly subnets: ISubnet[];
  readonly functions: SecurityGroup;
  readonly #endpoints: Record<keyof EndpointResources, VpcEndpoint>;

  constructor(scope: Construct, id: string, { zones, logRetention }: CreatedNetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      // Explicit, because CDK assumes two availability zones if it does not know the region.
      availabilityZones:
        typeof zones === 'number' ? Array.from({ length: zones }, (_, i) => Fn.select(i, Fn.getAzs())) : zones,
      natGateways: 0,
      // A fixed subnet size, so that a third availability zone can be added later without changing the first two subnets.
      subnetConfiguration: [{ name: 'private', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      // Restricting the default security group takes a custom resource, and nothing uses that group.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('Refused', {
      // Only rejected traffic. Accepted traffic is expected and would cost a line per connection.
      trafficType: FlowLogTrafficType.REJECT,
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, 'RefusedLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
      ),
    });
    // CDK's own types don't agree under exactOptionalPropertyTypes.
    this.vpc = vpc as IVpc;
    this.subnets = vpc.isolatedSubnets;
    this.functions = functionsGroup(this, this.vpc);
    const endpoint = (name: string, service: InterfaceVpcEndpointAwsService) => {
      const group = closedGroup(this, `${name}Group`, this.vpc, `The endpoint ${name} of chat-system`);
      const made = vpc.addInterfaceEndpoint(name, { service, open: false, securityGroups: [group] });
      made.connections.allowDefaultPortFrom(this.functions);
      return made;
    };
    this.#endpoints = {
      dynamodb: vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB }),
      sqs: endpoint('Sqs', InterfaceVpcEndpointAwsService.SQS),
      secretsmanager: endpoint('SecretsManager', InterfaceVpcEndpointAwsService.SECRETS_MANAGER),
    };
  }

  /**
   * Restricts the endpoints to these resources and to principals of this account, so that nothing in the network can send
   * data to another account. Roles decide which function may do what.
   */
  restrictTo(resources: EndpointResources): void {
    for (const [service, endpoint] of Object.entries(this.#endpoints) as [keyof EndpointResources, WithPolicy][])
      endpoint.addToPolicy(
        new PolicyStatement({
          principals: [new AnyPrincipal()],
          actions: [`${service}:*`],
          resources: resources[service],
          conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
        }),
      );
  }
}

type WithPolicy = IVpcEndpoint & Pick<VpcEndpoint, 'addToPolicy'>;

/** An existing VPC. It must have routes to DynamoDB, SQS and Secrets Manager. */
export class ExistingNetwork extends Construct implements Network {
  readonly vpc: IVpc;
  readonly subnets: ISubnet[];
  readonly functions: SecurityGroup;

  constructor(scope: Construct, id: string, vpcId: string) {
    super(scope, id);
    this.vpc = Vpc.fromLookup(this, 'Vpc', { vpcId });
    const subnetType =
      this.vpc.privateSubnets.length > 0 ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
    this.subnets = this.vpc.selectSubnets({ subnetType, onePerAz: true }).subnets;
    this.functions = functionsGroup(this, this.vpc);
  }
}

/**
 * Creates a security group that allows only the traffic of its rules. If a group has no inline egress rule, AWS adds a
 * rule to it that allows all outbound traffic. Egress rules that are separate resources do not prevent that. (A rule
 * for a port that is known only at deployment is a separate resource.) And CDK removes its own inline placeholder when
 * it adds the first separate rule. So this function adds an inline rule for the loopback address, which matches no
 * traffic and stays. CloudFormation replaces a group when its description changes.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html)
 */
export function closedGroup(scope: Construct, id: string, vpc: IVpc, description: string): SecurityGroup {
  const group = new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  group.addEgressRule(Peer.ipv4('127.0.0.1/32'), Port.allTraffic(), 'Matches no traffic');
  return group;
}

function functionsGroup(scope: Construct, vpc: IVpc): SecurityGroup {
  const group = closedGroup(scope, 'Functions', vpc, 'Functions of chat-system');
  // Gateway endpoints have public addresses, so this rule cannot be limited to them. The route table has no other route.
  group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'AWS, and search');
  return group;
}
