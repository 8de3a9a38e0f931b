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

/** Where SQL and search are, and the functions that use them. */
export interface Network {
  readonly vpc: IVpc;
  /** One in each zone, none of which the internet reaches. */
  readonly subnets: ISubnet[];
  /** Of the functions; they open connections, and nobody opens any to them. */
  readonly functions: SecurityGroup;
}

/** What functions in a network of our own may call of AWS, by the service's action prefix. */
export type Reachable = Record<'dynamodb' | 'sqs' | 'secretsmanager', string[]>;

interface CreatedNetworkProps {
  /** Their names, or how many of the region's first ones. */
  zones: string[] | number;
  logRetention: RetentionDays;
}

/** A network of our own; nothing in it reaches the internet, or is reached. */
export class CreatedNetwork extends Construct implements Network {
  readonly vpc: IVpc;
  readonly subnets: ISubnet[];
  readonly functions: SecurityGroup;
  readonly #endpoints: Record<keyof Reachable, VpcEndpoint>;

  constructor(scope: Construct, id: string, { zones, logRetention }: CreatedNetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      // Named one by one: of a region that it does not know, CDK counts on two.
      availabilityZones:
        typeof zones === 'number' ? Array.from({ length: zones }, (_, i) => Fn.select(i, Fn.getAzs())) : zones,
      natGateways: 0,
      // Of one size, whatever the number of zones: a third then goes beside the other two.
      subnetConfiguration: [{ name: 'private', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      // The default group's rules would be removed by a custom resource; nothing is in it.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('Refused', {
      // What a security group stopped: all else is known, and would be a line for each connection.
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
   * The endpoints lead to these resources, for whoever of this account may use them: no data leaves for another account,
   * whatever runs in the network. Roles say who may do what.
   */
  leadsTo(reachable: Reachable): void {
    for (const [service, endpoint] of Object.entries(this.#endpoints) as [keyof Reachable, WithPolicy][])
      endpoint.addToPolicy(
        new PolicyStatement({
          principals: [new AnyPrincipal()],
          actions: [`${service}:*`],
          resources: reachable[service],
          conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
        }),
      );
  }
}

type WithPolicy = IVpcEndpoint & Pick<VpcEndpoint, 'addToPolicy'>;

/** A network that is there already. It has its own way to DynamoDB, SQS and Secrets Manager. */
export class GivenNetwork extends Construct implements Network {
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
 * A security group that lets in and out only what rules allow. A group without an egress rule of its own is open: AWS then
 * adds one that allows everything, and rules that are resources of their own (as those to a port that is known only in
 * AWS) do not count. CDK's placeholder goes with the first such rule, so the group has one that stays: nothing leaves for
 * a loopback address.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html)
 */
export function closedGroup(scope: Construct, id: string, vpc: IVpc, description: string): SecurityGroup {
  const group = new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  group.addEgressRule(Peer.ipv4('127.0.0.1/32'), Port.allTraffic(), 'Nothing else');
  return group;
}

function functionsGroup(scope: Construct, vpc: IVpc): SecurityGroup {
  const group = closedGroup(scope, 'Functions', vpc, 'Functions of chat-system');
  // Gateway endpoints have addresses of the internet, so they can't be told from it here; the routes do that.
  group.addEgressRule(Peer.anyIpv4(), Port.HTTPS, 'AWS, and search');
  return group;
}
