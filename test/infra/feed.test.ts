import { describe, expect, test } from 'vitest';
import { feedFunctions } from '../../infra/functions.ts';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';

const { service, data } = synthesize(everyStage.prod);
const { id: apiId, resource: api } = service.one('AWS::AppSync::Api');

describe('the Event API', () => {
  test('the authorizer alone decides who connects and subscribes, and only roles with a grant publish', () => {
    const { EventConfig } = api.Properties;
    const [lambda, iam] = [[{ AuthType: 'AWS_LAMBDA' }], [{ AuthType: 'AWS_IAM' }]];
    expect(EventConfig).toMatchObject({
      ConnectionAuthModes: lambda,
      DefaultSubscribeAuthModes: lambda,
      DefaultPublishAuthModes: iam,
    });
    const namespaces = service.ofType('AWS::AppSync::ChannelNamespace').map(([, { Properties }]) => Properties);
    expect(namespaces.map(({ Name }) => Name).sort()).toEqual(['applications', 'chats']);
    for (const each of namespaces) expect(each).toMatchObject({ SubscribeAuthModes: lambda, PublishAuthModes: iam });
    expect(service.ofType('AWS::AppSync::ApiKey')).toEqual([]);
  });

  test('AppSync does not cache the responses of the authorizer, so a token that was ended is refused within a minute', () => {
    const providers: { AuthType: string; LambdaAuthorizerConfig?: object }[] = api.Properties.EventConfig.AuthProviders;
    const [authorizer] = providers.flatMap(({ LambdaAuthorizerConfig }) => LambdaAuthorizerConfig ?? []);
    expect(authorizer).toEqual({
      AuthorizerResultTtlInSeconds: 0,
      AuthorizerUri: { 'Fn::GetAtt': [service.function('feedAuthorizer').id, 'Arn'] },
    });
  });

  test('only this API may call the authorizer', () => {
    const permissions = service
      .ofType('AWS::Lambda::Permission')
      .filter(([, { Properties }]) => Properties.Principal === 'appsync.amazonaws.com')
      .map(([, { Properties }]) => Properties);
    expect(permissions).toEqual([
      expect.objectContaining({
        Action: 'lambda:InvokeFunction',
        FunctionName: { 'Fn::GetAtt': [service.function('feedAuthorizer').id, 'Arn'] },
        SourceArn: { 'Fn::GetAtt': [apiId, 'ApiArn'] },
      }),
    ]);
  });

  test('the feed worker runs outside of the network and publishes over TLS', () => {
    const { properties, environment } = service.function('feedWorker');
    expect(properties.VpcConfig).toBeUndefined();
    expect(JSON.stringify(environment.FEED_URL)).toContain('"https://"');
  });
});

describe.each(['dev', 'prod'] as const)('stage %s without the feed', (stage) => {
  const off = synthesize({ ...everyStage[stage], feed: 'off' });

  test(`stage ${stage} without the feed has none of its resources`, () => {
    expect(off.service.ofType('AWS::AppSync::Api')).toEqual([]);
    for (const name of feedFunctions) expect([...off.service.functions.keys()]).not.toContain(name);
    expect(off.data.ofType('AWS::SQS::Queue').filter(([id]) => /feed/i.test(id))).toEqual([]);
    expect(off.monitoring?.text).not.toMatch(/Feed(Queue|Worker|Authorizer)|AppSync|published/);
  });

  test(`stage ${stage} without the feed keeps every other resource as it is`, () => {
    const on = synthesize(everyStage[stage]);
    for (const [before, after] of [
      [off.data, on.data],
      [off.service, on.service],
    ] as const) {
      const kept = Object.keys(before.resources).filter((id) => after.resources[id]);
      // Only the deployment of the REST API has an id that depends on what is in it.
      expect(Object.keys(before.resources).filter((id) => !kept.includes(id))).toEqual([]);
    }
  });
});

test('a stage turns the feed on for an emulator that has it', () => {
  const on = synthesize({ ...everyStage.local, feed: 'on' }).service;
  expect(on.ofType('AWS::AppSync::Api')).toHaveLength(1);
  expect(JSON.stringify(on.function('feedWorker').environment.FEED_URL)).toContain('"http://"');
  expect(synthesize(everyStage.local).service.ofType('AWS::AppSync::Api')).toEqual([]);
  expect(data.ofType('AWS::SQS::Queue')).toHaveLength(6);
});
