import { RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type * as z from 'zod/mini';
import { bundleFolder } from '../bundles.ts';
import type { FunctionName } from '../functions.ts';
import type { FunctionSize } from '../sizes.ts';
import type { Network } from './network.ts';

/** The variables that a provider of `functions/aws` names. */
export type VariablesOf<Provider extends { variables: z.core.$ZodShape }> = z.input<
  z.ZodMiniObject<Provider['variables']>
>;

interface ServiceFunctionProps {
  /** The folder of all bundles. */
  bundles: string;
  size: FunctionSize;
  /** Only for those that use something in it: a function outside starts quicker and reaches every AWS service. */
  network?: Network | undefined;
}

/** A function of ours: its bundle, with the logs apart so that they end after a month. */
export class ServiceFunction extends LambdaFunction {
  readonly size: FunctionSize;

  constructor(scope: Construct, name: FunctionName, { bundles, size, network }: ServiceFunctionProps) {
    const id = name.charAt(0).toUpperCase() + name.slice(1);
    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleFolder(bundles, name)),
      handler: 'index.handler',
      memorySize: size.memoryMb,
      timeout: size.timeout,
      description: `chat-system: ${name}`,
      logGroup: new LogGroup(scope, `${id}Logs`, {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      ...network?.placement,
    });
    this.size = size;
  }

  /** Sets the variables of a provider; the type argument holds them to what it names. */
  setVariables<Provider extends { variables: z.core.$ZodShape }>(variables: VariablesOf<Provider>): void {
    for (const [name, value] of Object.entries(variables)) if (value) this.addEnvironment(name, String(value));
  }
}
