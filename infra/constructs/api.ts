import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  EndpointType,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { methodsOf, pathsOf, type Route, routes } from '../../lib/api/routes.ts';
import type { Stage } from '../config.ts';
import { kindOf } from '../route-kinds.ts';
import { accessLogFields } from './access-log.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import type { ServiceFunction } from './service-function.ts';
import { suppress } from './suppress.ts';

/** Grants one permission per function for the whole API, instead of two per method: function policies are limited in size. */
const integrationOf = (fn: ServiceFunction) => new LambdaIntegration(fn, { scopePermissionToMethod: false });

interface ApiProps {
  /** The name of the API, which is the dimension of its metrics; unique in the account. */
  name: string;
  /** The function that responds to preflight requests, wrong methods and unknown paths. */
  fallback: ServiceFunction;
  throttling: Stage['throttling'];
  logRetention: RetentionDays;
}

/** The REST API of API Gateway. Its paths and methods are those of the route table. */
export class Api extends Construct {
  readonly url: string;
  readonly rest: RestApi;
  readonly #fallback: LambdaIntegration;
  readonly #withFallback = new Set<IResource>();

  constructor(scope: Construct, id: string, { name, fallback, throttling, logRetention }: ApiProps) {
    super(scope, id);
    const logs = new LogGroup(this, 'AccessLogs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    this.rest = new RestApi(this, 'Rest', {
      restApiName: name,
      endpointTypes: [EndpointType.REGIONAL],
      deployOptions: {
        // The name of the API Gateway stage is the base path of the API.
        stageName: 'v1',
        // Traces of the API would contain the whole URL with the token. Traces of functions contain only their name.
        tracingEnabled: false,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
        // Execution logs contain paths, and paths contain tokens.
        loggingLevel: MethodLoggingLevel.OFF,
        ...limitsOf(throttling.service),
        methodOptions: methodLimits(throttling),
      },
      // The role belongs to the account; see account-stack.ts.
      cloudWatchRole: false,
      // Functions get bodies in Base64, so that they can refuse a body that is not UTF-8. API Gateway would replace invalid
      // bytes in a text body by replacement characters, and these would be stored.
      binaryMediaTypes: ['*/*'],
    });
    // The service stack has its own output, without the slash at the end.
    this.rest.node.tryRemoveChild('Endpoint');
    this.url = this.rest.url.replace(/\/$/, '');
    this.#fallback = integrationOf(fallback);
    this.#addFallback(this.rest.root);
    this.rest.root.addResource('{proxy+}').addMethod('ANY', this.#fallback);
    addGatewayResponses(this.rest);
    suppress(this.rest, {
      'AwsSolutions-APIG2':
        'The functions validate requests by the schemas of the route table, on AWS and on the embedded engine alike.',
      'AwsSolutions-APIG4':
        'The token in the path, or a bearer token that the functions check, authorizes access to its application; creating and listing applications requires the admin key.',
      'AwsSolutions-COG4':
        'There are no user accounts: the token in the path, or a bearer token, authorizes access to its application.',
      'AwsSolutions-APIG6':
        'Execution logs contain the path with the token; access logs contain only the path pattern.',
      'AwsSolutions-APIG3': 'Firewall rules depend on the clients of a deployment; every route is throttled.',
    });
  }

  /** Lets the function serve all methods of the route: its own, its alias, and HEAD for GET. */
  addRoute(route: Route, fn: ServiceFunction): void {
    const integration = integrationOf(fn);
    for (const path of pathsOf(route)) {
      const resource = this.rest.root.resourceForPath(path);
      for (const method of methodsOf(route)) resource.addMethod(method, integration);
      this.#addFallback(resource);
    }
  }

  /**
   * Adds the fallback to a resource. The fallback gets wrong methods and preflight requests, because API Gateway prefers
   * specific methods.
   */
  #addFallback(resource: IResource): void {
    if (this.#withFallback.has(resource)) return;
    this.#withFallback.add(resource);
    resource.addMethod('ANY', this.#fallback);
  }
}

const limitsOf = ({ rate, burst }: Stage['throttling']['read']) => ({
  throttlingRateLimit: rate,
  throttlingBurstLimit: burst,
});

/** Returns the limits of each method of each route. All other requests have the limits of the API Gateway stage. */
const methodLimits = (throttling: Stage['throttling']) =>
  Object.fromEntries(
    Object.values<Route>(routes).flatMap((route) =>
      methodsOf(route).map((method) => [`${route.path}/${method}`, limitsOf(throttling[kindOf(route)])]),
    ),
  );
