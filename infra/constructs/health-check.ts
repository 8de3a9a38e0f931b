import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/**
 * How long a check waits for the response, in milliseconds. While the server restarts, Caddy holds requests for up to
 * 15 s, which is not a failure.
 */
const patience = 20_000;

/**
 * CommonJS, because Lambda reads inline code as that. Each request has its own connection: one that was kept open while
 * Lambda freezes the function might be closed by the server.
 */
const code = `exports.handler = async () => {
  const signal = AbortSignal.timeout(${patience});
  const response = await fetch(process.env.URL, { signal, headers: { connection: 'close' } });
  await response.arrayBuffer();
  if (!response.ok) throw new Error('the response has status ' + response.status);
};
`;

/**
 * Requests a URL every minute, as a client on the internet does: by its domain name and with a valid certificate. A run
 * fails when the response is not a success. The metrics of the function are free, so they cost less than custom ones.
 */
export class HealthCheck extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, url: string) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_WEEK,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grant(role, 'logs:CreateLogStream', 'logs:PutLogEvents');
    this.function = new LambdaFunction(this, 'Function', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromInline(code),
      handler: 'index.handler',
      memorySize: 128,
      timeout: Duration.millis(patience + 5_000),
      description: `chat-system: checks ${url}`,
      role,
      logGroup,
      environment: { URL: url },
      // The next run is a minute later, so a failed one is not repeated.
      retryAttempts: 0,
    });
    new Rule(this, 'Schedule', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new FunctionTarget(this.function)],
    });
  }
}
