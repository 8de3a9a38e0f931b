import { EndpointType, LambdaIntegration, type Resource, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Construct } from 'constructs';
import { methodsOf, type Route } from '../../lib/api/routes.ts';
import { addGatewayAnswers } from './gateway-answers.ts';
import type { ServiceFunction } from './service-function.ts';

/** One permission a function for the whole API, instead of two a method: a policy of a function has a limited size. */
const integrationOf = (fn: ServiceFunction) => new LambdaIntegration(fn, { scopePermissionToMethod: false });

/** The HTTP API: a REST API, whose paths and methods are those of the route table. */
export class Api extends Construct {
  readonly url: string;
  readonly #rest: RestApi;
  readonly #fallback: LambdaIntegration;
  readonly #known = new Set<Resource>();

  /** @param fallback answers preflights, wrong methods and unknown paths */
  constructor(scope: Construct, id: string, fallback: ServiceFunction) {
    super(scope, id);
    this.#rest = new RestApi(this, 'Rest', {
      restApiName: 'chat-system',
      endpointTypes: [EndpointType.REGIONAL],
      // The stage's name is the base path of the contract.
      deployOptions: { stageName: 'v1' },
      // Would make a role of the whole account, for logs that are not kept.
      cloudWatchRole: false,
      // Bodies come in Base64, so that one that is not UTF-8 reaches the function as it was sent and is refused there; as
      // text it would arrive with replacement characters, and be stored so.
      binaryMediaTypes: ['*/*'],
    });
    // The stack has an output of its own, without the slash at the end.
    this.#rest.node.tryRemoveChild('Endpoint');
    this.url = this.#rest.url.replace(/\/$/, '');
    this.#fallback = integrationOf(fallback);
    this.#rest.root.addMethod('ANY', this.#fallback);
    this.#rest.root.addResource('{proxy+}').addMethod('ANY', this.#fallback);
    addGatewayAnswers(this.#rest);
  }

  /** The function answers the route: its method, the alias, and HEAD where it is a GET. */
  serves(route: Route, fn: ServiceFunction): void {
    const resource = this.#rest.root.resourceForPath(route.path);
    const integration = integrationOf(fn);
    for (const method of methodsOf(route)) resource.addMethod(method, integration);
    // API Gateway prefers the methods above; the others are wrong ones, and preflights.
    if (this.#known.has(resource)) return;
    this.#known.add(resource);
    resource.addMethod('ANY', this.#fallback);
  }
}
