import { describe, expect, test } from 'vitest';
import { type AuthorizerEvent, feedAuthorizer } from '../../functions/feed/authorizer.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { Access } from '../../lib/access/access.ts';
import { AccessTokens } from '../../lib/access/access-tokens.ts';
import { channelOf, feedId } from '../../lib/feed/channels.ts';
import { limits } from '../../lib/limits.ts';
import type { Holder } from '../../lib/model/holder.ts';
import { newToken } from '../../lib/model/token.ts';
import { fixedSecret } from '../../lib/system-secret.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { testSecret } from '../support/client/cursors.ts';

setLogLevel('silent');

const [token, other] = [newToken(), newToken()];
const generations = new Map([
  [token, 3],
  [other, 3],
]);
const clock = { now: Date.now() };
const access = new Access({
  tokens: new AccessTokens(fixedSecret(testSecret)),
  ledger: { accessGeneration: async (of) => generations.get(of) },
  keptMs: limits.accessToken.keptMs,
  now: () => clock.now,
});
const reader: Holder = { sender: 'ada', chats: null, can: ['read'] };
const accessTokenFor = async (holder: Partial<Holder>, of = token) =>
  (await access.grant(of, { ...reader, ...holder }, 3_600)).accessToken;

const ask = async (authorizationToken: string, requestContext: AuthorizerEvent['requestContext']) =>
  (await feedAuthorizer({ access })({ authorizationToken, requestContext }, lambdaContext('authorizer'))).isAuthorized;
const connect = (bearer: string) => ask(bearer, { operation: 'EVENT_CONNECT' });
const subscribe = (bearer: string, channel: string | null) => ask(bearer, { operation: 'EVENT_SUBSCRIBE', channel });

const own = { chat: (chat: number) => channelOf(feedId(token), { chat }), application: channelOf(feedId(token), {}) };
const held = {
  chat: (chat: number) => channelOf(feedId(token, 3), { chat }),
  application: channelOf(feedId(token, 3), {}),
};

describe("the feed's authorizer", () => {
  test('an application’s token follows every chat of its application, and the application', async () => {
    expect(await connect(token)).toBe(true);
    expect(await subscribe(token, own.chat(1))).toBe(true);
    expect(await subscribe(token, own.application)).toBe(true);
  });

  test('an access token without chats follows every chat of its application, and the application', async () => {
    const bearer = await accessTokenFor({});
    expect(await connect(bearer)).toBe(true);
    expect(await subscribe(bearer, held.chat(1))).toBe(true);
    expect(await subscribe(bearer, held.application)).toBe(true);
  });

  test('an access token with chats follows these chats only, and not the application', async () => {
    const bearer = await accessTokenFor({ chats: [1, 3] });
    expect(await connect(bearer)).toBe(true);
    expect(await subscribe(bearer, held.chat(3))).toBe(true);
    expect(await subscribe(bearer, held.chat(2))).toBe(false);
    expect(await subscribe(bearer, held.application)).toBe(false);
  });

  test('an access token without the permission to read may not even connect', async () => {
    const bearer = await accessTokenFor({ can: ['create', 'edit'] });
    expect(await connect(bearer)).toBe(false);
    expect(await subscribe(bearer, held.chat(1))).toBe(false);
  });

  test('no token follows another application, or the channels of the other kind of token', async () => {
    const bearer = await accessTokenFor({});
    const foreign = [feedId(other), feedId(other, 3)].flatMap((id) => [channelOf(id, {}), channelOf(id, { chat: 1 })]);
    for (const channel of [...foreign, held.chat(1), held.application])
      expect(await subscribe(token, channel)).toBe(false);
    for (const channel of [...foreign, own.chat(1), own.application])
      expect(await subscribe(bearer, channel)).toBe(false);
  });

  test('wildcards, other namespaces and no channel at all are refused', async () => {
    const id = feedId(token);
    for (const channel of [
      '/*',
      '/chats/*',
      `/chats/${id}/*`,
      `/chats/${id}`,
      '/applications/*',
      `/x/${id}/1`,
      '',
      null,
    ])
      expect(await subscribe(token, channel)).toBe(false);
  });

  test('nobody publishes with a token', async () => {
    for (const bearer of [token, await accessTokenFor({ can: ['read', 'create', 'edit'] })])
      expect(await ask(bearer, { operation: 'EVENT_PUBLISH', channel: own.chat(1) })).toBe(false);
  });

  test('what is no token of this system is refused: unknown, expired, damaged, or with another scheme', async () => {
    const bearer = await accessTokenFor({});
    for (const wrong of ['', 'x', newToken(), `${bearer}A`, `Bearer ${bearer}`])
      expect(await connect(wrong)).toBe(false);
    clock.now += 3_600_000;
    expect(await connect(bearer)).toBe(false);
    expect(await subscribe(bearer, held.chat(1))).toBe(false);
  });

  test('ended access tokens are refused within a minute, and later ones are not', async () => {
    const ended = await accessTokenFor({});
    expect(await subscribe(ended, held.chat(1))).toBe(true);
    generations.set(token, 4);
    clock.now += limits.accessToken.keptMs;
    expect(await connect(ended)).toBe(false);
    expect(await subscribe(ended, held.chat(1))).toBe(false);
    const later = await accessTokenFor({});
    expect(await subscribe(later, channelOf(feedId(token, 4), { chat: 1 }))).toBe(true);
    expect(await subscribe(later, held.chat(1))).toBe(false);
  });

  test('the response must not be cached, and the tokens of a deleted application are refused', async () => {
    const context = { operation: 'EVENT_CONNECT' as const };
    generations.delete(token);
    clock.now += limits.accessToken.keptMs;
    expect(
      await feedAuthorizer({ access })({ authorizationToken: token, requestContext: context }, lambdaContext('a')),
    ).toEqual({ isAuthorized: false, ttlOverride: 0 });
  });

  test('the authorizer fails without naming the token when the ledger is unavailable', async () => {
    const out = new Access({
      tokens: new AccessTokens(fixedSecret(testSecret)),
      ledger: { accessGeneration: () => Promise.reject(new Error(`no answer for ${token}`)) },
      keptMs: 0,
    });
    const asked = feedAuthorizer({ access: out })(
      { authorizationToken: token, requestContext: { operation: 'EVENT_CONNECT' } },
      lambdaContext('a'),
    );
    await expect(asked).rejects.toThrow(/^a dependency is unavailable$/);
  });
});
