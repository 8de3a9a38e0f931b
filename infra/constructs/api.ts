import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  type Resource,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { methodsOf, type Route, routes } from '../../lib/api/routes.ts';
import type { Stage } from '../config.ts';
import { kindOf } from '../route-kinds.ts';
import { accessLogFields } from './access-log.ts';
import { addGatewayAnswers } from './gateway-answers.ts';
import type { ServiceFunction } from './service-function.ts';
import { accept } from './suppress.ts';

/** One permission a function for the whole API, instead of two a method: a policy of a function has a limited size. */
const integrationOf = (fn: ServiceFunction) => new LambdaIntegration(fn, { scopePermissionToMethod: false });

interface ApiProps {
  /** By which its metrics are told from those of other stages. */
  name: string;
  /** Answers preflights, wrong methods and unknown paths. */
  fallback: ServiceFunction;
  throttling: Stage['throttling'];
  logRetention: RetentionDays;
}

/** The HTTP API: a REST API, whose paths and methods are those of the route table. */
export class Api extends Construct {
  readonly url: string;
  readonly rest: RestApi;
  readonly #fallback: LambdaIntegration;
  readonly #known = new Set<Resource>();

  constructor(scope: Construct, id: string, { name, fallback, throttling, logRetention }: ApiProps) {
    super(scope, id);
    const logs = new LogGroup(this, 'AccessLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    this.rest = new RestApi(this, 'Rest', {
      restApiName: name,
      endpointTypes: [EndpointType.REGIONAL],
      deployOptions: {
        // The stage's name is the base path of the contract.
        stageName: 'v1',
        // Traces of the API would hold the whole URL, and so the token; those of functions hold no more than their name.
        tracingEnabled: false,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
        // Execution logs hold paths, and these hold tokens.
        loggingLevel: MethodLoggingLevel.OFF,
        ...limitsOf(throttling.service),
        methodOptions: methodLimits(throttling),
      },
      // It is the account's, see account-stack.ts.
      cloudWatchRole: false,
      // Bodies come in Base64, so that one that is not UTF-8 reaches the function as it was sent and is refused there; as
      // text it would arrive with replacement characters, and be stored so.
      binaryMediaTypes: ['*/*'],
    });
    // The stack has an output of its own, without the slash at the end.
    this.rest.node.tryRemoveChild('Endpoint');
    this.url = this.rest.url.replace(/\/$/, '');
    this.#fallback = integrationOf(fallback);
    this.rest.root.addMethod('ANY', this.#fallback);
    this.rest.root.addResource('{proxy+}').addMethod('ANY', this.#fallback);
    addGatewayAnswers(this.rest);
    accept(this.rest, {
      'AwsSolutions-APIG2': 'Functions validate, by the schemas of the route table, and so on both engines.',
      'AwsSolutions-APIG4': 'An application’s token in the path is what opens it; the registry asks for the admin key.',
      'AwsSolutions-COG4': 'There are no users: an application’s token in the path is what opens it.',
      'AwsSolutions-APIG6': 'Execution logs hold the path, and the path holds the token; access logs hold neither.',
      'AwsSolutions-APIG3': 'What a firewall is to refuse depends on who calls; throttling is for each route.',
    });
  }

  /** The function answers the route: its method, the alias, and HEAD where it is a GET. */
  serves(route: Route, fn: ServiceFunction): void {
    const resource = this.rest.root.resourceForPath(route.path);
    const integration = integrationOf(fn);
    for (const method of methodsOf(route)) resource.addMethod(method, integration);
    // API Gateway prefers the methods above; the others are wrong ones, and preflights.
    if (this.#known.has(resource)) return;
    this.#known.add(resource);
    resource.addMethod('ANY', this.#fallback);
  }
}

const limitsOf = ({ rate, burst }: Stage['throttling']['read']) => ({
  throttlingRateLimit: rate,
  throttlingBurstLimit: burst,
});

/** Of each method of each route; all others have the stage's own. */
const methodLimits = (throttling: Stage['throttling']) =>
  Object.fromEntries(
    Object.values<Route>(routes).flatMap((route) =>
      methodsOf(route).map((method) => [`${route.path}/${method}`, limitsOf(throttling[kindOf(route)])]),
    ),
  );
