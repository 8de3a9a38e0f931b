import { Duration } from 'aws-cdk-lib';
import { AppSyncAuthorizationType, type ChannelNamespace, EventApi } from 'aws-cdk-lib/aws-appsync';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { feed } from '../../functions/aws/feed.ts';
import type { publisher } from '../../functions/aws/publisher.ts';
import { namespaces } from '../../lib/feed/channels.ts';
import type { ServiceFunction } from './service-function.ts';

interface FeedProps {
  /** The name of the API, unique in the account. */
  name: string;
  /** The function that decides who may connect and subscribe. */
  authorizer: ServiceFunction;
  /** Whether the API is reached without TLS, as that of an emulator is. */
  plaintext: boolean;
}

/**
 * The Event API of AppSync, over which clients follow changes live. Only functions with a grant publish, and only those
 * whom the authorizer admits subscribe.
 */
export class Feed extends Construct {
  readonly api: EventApi;
  readonly #namespaces: ChannelNamespace[];
  readonly #addresses: { http: string; realtime: string };

  constructor(scope: Construct, id: string, { name, authorizer, plaintext }: FeedProps) {
    super(scope, id);
    const subscribing = [AppSyncAuthorizationType.LAMBDA];
    const publishing = [AppSyncAuthorizationType.IAM];
    this.api = new EventApi(this, 'Api', {
      apiName: name,
      authorizationConfig: {
        authProviders: [
          { authorizationType: AppSyncAuthorizationType.IAM },
          {
            authorizationType: AppSyncAuthorizationType.LAMBDA,
            lambdaAuthorizerConfig: {
              // CDK's own types don't agree under exactOptionalPropertyTypes.
              handler: authorizer as unknown as IFunction,
              // Responses are not cached: AWS does not say whether a cached response applies to one channel or to all,
              // and a token may be ended at any time.
              resultsCacheTtl: Duration.seconds(0),
            },
          },
        ],
        connectionAuthModeTypes: subscribing,
        defaultSubscribeAuthModeTypes: subscribing,
        defaultPublishAuthModeTypes: publishing,
      },
    });
    this.#namespaces = Object.values(namespaces).map((namespace) =>
      this.api.addChannelNamespace(`${namespace}Channels`, {
        channelNamespaceName: namespace,
        authorizationConfig: { publishAuthModeTypes: publishing, subscribeAuthModeTypes: subscribing },
      }),
    );
    const secure = plaintext ? '' : 's';
    this.#addresses = {
      http: `http${secure}://${this.api.httpDns}/event`,
      realtime: `ws${secure}://${this.api.realtimeDns}/event/realtime`,
    };
  }

  /** Lets the function publish to every channel. */
  connectPublisher(fn: ServiceFunction): void {
    for (const namespace of this.#namespaces) namespace.grantPublish(fn);
    fn.setVariables<typeof publisher>({ FEED_URL: this.#addresses.http });
  }

  /** Lets the function tell clients where they follow changes. */
  connectRoute(fn: ServiceFunction): void {
    fn.setVariables<typeof feed>({ FEED_URL: this.#addresses.http, FEED_REALTIME_URL: this.#addresses.realtime });
  }
}
