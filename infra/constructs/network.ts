import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

/** The private network of a database and a search domain of our own; nothing in it reaches the internet, or is reached. */
export class Network extends Construct {
  readonly vpc: IVpc;
  /** Where a function runs that uses them. */
  readonly placement: { vpc: IVpc; vpcSubnets: { subnetType: SubnetType }; securityGroups: ISecurityGroup[] };

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'private', subnetType: SubnetType.PRIVATE_ISOLATED }],
      // The default group's rules would be removed by a custom resource; nothing is in it.
      restrictDefaultSecurityGroup: false,
    });
    // CDK's own types don't agree under exactOptionalPropertyTypes.
    this.vpc = vpc as IVpc;
    // The services that functions in it call: the ledger, the queues, and the database's password.
    vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    vpc.addInterfaceEndpoint('Sqs', { service: InterfaceVpcEndpointAwsService.SQS });
    vpc.addInterfaceEndpoint('SecretsManager', { service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER });
    const functions = new SecurityGroup(this, 'Functions', { vpc: this.vpc, description: 'Functions of chat-system' });
    this.placement = {
      vpc: this.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [functions],
    };
  }
}
