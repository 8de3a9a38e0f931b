import type { Access } from '../../lib/access/access.ts';
import { Problem } from '../../lib/api/problems.ts';
import { type Channel, feedId, parseChannel } from '../../lib/feed/channels.ts';
import { DomainError } from '../../lib/model/errors.ts';
import type { Caller } from '../../lib/model/holder.ts';
import { requireAllowed } from '../runtime/http/permission.ts';
import type { LambdaHandler } from '../runtime/lambda.ts';
import { log, logEvents } from '../runtime/observe/log.ts';

/**
 * What AppSync Events asks its authorizer
 * (https://docs.aws.amazon.com/appsync/latest/eventapi/configure-event-api-auth.html). A connection has no channel.
 */
export interface AuthorizerEvent {
  authorizationToken: string;
  requestContext: {
    operation: 'EVENT_CONNECT' | 'EVENT_SUBSCRIBE' | 'EVENT_PUBLISH';
    channel?: string | null;
  };
}

/**
 * The response. AppSync caches it for `ttlOverride` seconds. That is 0, because the token may be ended meanwhile, and
 * AWS does not document whether a cached response also applies to other channels.
 */
interface Authorization {
  isAuthorized: boolean;
  ttlOverride: 0;
}

/**
 * Decides who may connect to the Event API and subscribe to a channel: the holder of a bearer token that the HTTP API
 * accepts as well, and only to the channels of its application that it may read. Nobody publishes with a bearer token.
 */
export const feedAuthorizer =
  ({ access }: { access: Access }): LambdaHandler<AuthorizerEvent, Authorization> =>
  async ({ authorizationToken, requestContext }) => {
    const { operation, channel } = requestContext;
    try {
      const refusal = await refusalOf(authorizationToken, operation, channel ?? undefined, access);
      if (refusal) log.info(logEvents.followerRefused, { operation, reason: refusal });
      return { isAuthorized: refusal === undefined, ttlOverride: 0 };
    } catch (error) {
      log.warn(logEvents.unavailable, { error: error as Error });
      // Lambda would print the whole error, which may quote a token. AppSync refuses the follower, who tries again.
      throw new Error(logEvents.unavailable);
    }
  };

/** Returns why the caller is refused, without anything that identifies it; undefined if it is not. */
async function refusalOf(
  bearer: string,
  operation: AuthorizerEvent['requestContext']['operation'],
  name: string | undefined,
  access: Access,
): Promise<string | undefined> {
  const caller = await access.callerOf(bearer);
  if (caller === 'invalid' || caller === 'expired') return `the token is ${caller}`;
  if (operation === 'EVENT_CONNECT') return refusalBy(caller, undefined);
  if (operation !== 'EVENT_SUBSCRIBE') return 'nobody may publish with a bearer token';
  const channel = name === undefined ? undefined : parseChannel(name);
  if (channel?.id !== feedId(caller.token, caller.holder?.generation))
    return 'the channel does not belong to the application of the token';
  return refusalBy(caller, channel);
}

/**
 * Returns why the caller may not connect (without a channel) or subscribe to the channel; undefined if it may. The rule
 * is that of the HTTP routes: a connection or a chat needs `read`, the application's own channel needs `read all`.
 */
function refusalBy({ holder }: Caller, channel: Channel | undefined): string | undefined {
  if (!holder) return undefined;
  const allows = channel && channel.chat === undefined ? 'read all' : 'read';
  try {
    requireAllowed(allows, holder, channel?.chat);
    return undefined;
  } catch (error) {
    if (error instanceof Problem || error instanceof DomainError) return 'the access token does not allow it';
    throw error;
  }
}
