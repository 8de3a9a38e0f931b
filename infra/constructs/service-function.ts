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
import { accept } from './suppress.ts';

/** The variables that a provider of `functions/aws` names. */
export type VariablesOf<Provider extends { variables: z.core.$ZodShape }> = z.input<
  z.ZodMiniObject<Provider['variables']>
>;

interface ServiceFunctionProps {
  /** The folder of all bundles. */
  bundles: string;
  size: FunctionSize;
  /** Whether `size.atOnce` is held to. */
  reservedConcurrency: boolean;
  logRetention: RetentionDays;
  /** Only for those that use something in it: a function outside starts quicker and reaches every AWS service. */
  network?: Network | undefined;
}

/** A function of ours: its bundle, its log, and a role that may write to it and no other. */
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
      ...(reservedConcurrency && size.atOnce && { reservedConcurrentExecutions: size.atOnce }),
      description: `chat-system: ${name}`,
      role,
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      ...(network && {
        vpc: network.vpc,
        vpcSubnets: { subnets: network.subnets },
        securityGroups: [network.functions],
      }),
    });
    this.size = size;
    accept(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray’s segments, and a function’s network interfaces while Lambda makes them, have no resource to name.',
    });
  }

  /** Sets the variables of a provider; the type argument holds them to what it names. */
  setVariables<Provider extends { variables: z.core.$ZodShape }>(variables: VariablesOf<Provider>): void {
    for (const [name, value] of Object.entries(variables)) if (value) this.addEnvironment(name, String(value));
  }
}

/** Lambda connects a function to its network in the function's own name. */
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
