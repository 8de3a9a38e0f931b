import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type * as z from 'zod/mini';
import { bundleFolder } from '../bundles.ts';
import type { FunctionName } from '../functions.ts';
import type { FunctionSize } from '../sizes.ts';
import type { Network } from './network.ts';
import { suppress } from './suppress.ts';

/** The environment variables that a provider of `functions/aws` declares. */
export type VariablesOf<Provider extends { variables: z.core.$ZodShape }> = z.input<
  z.ZodMiniObject<Provider['variables']>
>;

interface ServiceFunctionProps {
  /** The folder that holds the bundle of every function. */
  bundles: string;
  size: FunctionSize;
  /** Whether `size.maxConcurrency` is enforced. */
  reservedConcurrency: boolean;
  logRetention: RetentionDays;
  /**
   * The network of the function, only for functions that use a server in it. Functions outside a VPC start faster and
   * reach every AWS service.
   */
  network?: Network | undefined;
}

/** A Lambda function of the service: its bundle, its log group, and a role that may write to this log group only. */
export class ServiceFunction extends LambdaFunction {
  readonly size: FunctionSize;

  constructor(scope: Construct, name: FunctionName, props: ServiceFunctionProps) {
    const { bundles, size, reservedConcurrency, logRetention, network } = props;
    const id = name.charAt(0).toUpperCase() + name.slice(1);
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grant(role, 'logs:CreateLogStream', 'logs:PutLogEvents');
    if (network) allowNetworkInterfaces(role);
    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleFolder(bundles, name)),
      handler: 'index.handler',
      memorySize: size.memoryMb,
      timeout: size.timeout,
      ...(reservedConcurrency && size.maxConcurrency && { reservedConcurrentExecutions: size.maxConcurrency }),
      description: `chat-system: ${name}`,
      role,
      logGroup,
      tracing: Tracing.ACTIVE,
      ...(network && {
        vpc: network.vpc,
        vpcSubnets: { subnets: network.subnets },
        securityGroups: [network.functions],
      }),
    });
    this.size = size;
    suppress(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray segments, and the network interfaces that Lambda creates for a function, have no ARN to name in a policy.',
    });
  }

  /** Sets the environment variables of a provider. The type argument restricts them to those that it declares. */
  setVariables<Provider extends { variables: z.core.$ZodShape }>(variables: VariablesOf<Provider>): void {
    for (const [name, value] of Object.entries(variables)) if (value) this.addEnvironment(name, String(value));
  }
}

/** Lets the role create network interfaces, because Lambda uses the role of the function to connect it to the VPC. */
function allowNetworkInterfaces(role: Role): void {
  const actions = [
    'CreateNetworkInterface',
    'DescribeNetworkInterfaces',
    'DescribeSubnets',
    'DeleteNetworkInterface',
    'AssignPrivateIpAddresses',
    'UnassignPrivateIpAddresses',
  ];
  role.addToPolicy(
    new PolicyStatement({
      actions: actions.map((action) => `ec2:${action}`),
      resources: ['*'],
    }),
  );
}
