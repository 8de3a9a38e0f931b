import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { describe, expect, test } from 'vitest';
import { type StageName, stages } from '../../infra/config.ts';
import { kindOf } from '../../infra/route-kinds.ts';
import { problemHeaders } from '../../lib/api/headers.ts';
import { type ProblemCode, problems } from '../../lib/api/problems.ts';
import { ProblemDocument } from '../../lib/api/responses.ts';
import { methodsOf, type OperationId, pathsOf, type Route, routes } from '../../lib/api/routes.ts';
import { everyStage, synthesize } from '../support/infra/synthesis.ts';

const { service: stack, account } = synthesize(everyStage.prod);

describe('the API', () => {
  const paths = new Map([[stack.one('AWS::ApiGateway::RestApi').id, '']]);
  for (const [id, { Properties }] of stack.ofType('AWS::ApiGateway::Resource'))
    paths.set(
      id,
      `${paths.get(Properties.ParentId.Ref ?? Properties.ParentId['Fn::GetAtt'][0])}/${Properties.PathPart}`,
    );
  const methods = stack.ofType('AWS::ApiGateway::Method').map(([, { Properties }]) => ({
    path: paths.get(Properties.ResourceId.Ref ?? Properties.ResourceId['Fn::GetAtt'][0]),
    method: Properties.HttpMethod as string,
    kind: Properties.Integration.Type as string,
    goesTo: JSON.stringify(Properties.Integration.Uri),
  }));
  const targetOf = (path: string, method: string) =>
    methods.find((each) => each.path === path && each.method === method)?.goesTo ?? 'nothing';

  test.each(Object.entries<Route>(routes))(
    'the API serves %s by its function, with each of its methods',
    (name, route) => {
      for (const path of pathsOf(route))
        for (const method of methodsOf(route))
          expect(targetOf(path === '/' ? '' : path, method)).toContain(`"${stack.function(name as OperationId).id}"`);
    },
  );

  test('the API has no methods other than those of the route table', () => {
    const table = Object.values<Route>(routes).flatMap((route) =>
      pathsOf(route).flatMap((path) => methodsOf(route).map((method) => `${method} ${path}`)),
    );
    const others = methods
      .filter(({ method }) => method !== 'ANY')
      .map(({ method, path }) => `${method} ${path || '/'}`);
    expect(others.sort()).toEqual(table.sort());
    expect(methods.every(({ kind }) => kind === 'AWS_PROXY')).toBe(true);
  });

  test('the API sends wrong methods, preflight requests and unknown paths to the fallback', () => {
    for (const path of [...paths.values()])
      expect(targetOf(path, 'ANY')).toContain(`"${stack.function('fallback').id}"`);
    expect([...paths.values()]).toEqual(expect.arrayContaining(['', '/{proxy+}']));
  });

  test('the API compresses nothing itself, because functions compress their responses', () => {
    expect(stack.one('AWS::ApiGateway::RestApi').resource.Properties).not.toHaveProperty('MinimumCompressionSize');
  });

  test('the API has the base path as its stage name, and passes bodies on byte by byte', () => {
    expect(stack.one('AWS::ApiGateway::Stage').resource.Properties).toMatchObject({ StageName: 'v1' });
    expect(stack.one('AWS::ApiGateway::RestApi').resource.Properties).toMatchObject({
      BinaryMediaTypes: ['*/*'],
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
  });

  const responseTo = (type: string) =>
    stack.ofType('AWS::ApiGateway::GatewayResponse').find(([, { Properties }]) => Properties.ResponseType === type)?.[1]
      .Properties;

  // The responses that API Gateway returns itself: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
  const configurationErrors = ['API_CONFIGURATION_ERROR', 'AUTHORIZER_CONFIGURATION_ERROR', 'AUTHORIZER_FAILURE'];
  const types = Object.values(ResponseType)
    .filter((type) => type instanceof ResponseType)
    .map(({ responseType }) => responseType);
  const defaultOf = (type: string) =>
    type.startsWith('INTEGRATION_') || configurationErrors.includes(type) ? 'DEFAULT_5XX' : 'DEFAULT_4XX';
  const expected: Record<string, [ProblemCode, string?]> = {
    DEFAULT_4XX: ['malformed_request'],
    DEFAULT_5XX: ['unavailable', '5'],
    WAF_FILTERED: ['not_allowed'],
    ACCESS_DENIED: ['not_allowed'],
    UNAUTHORIZED: ['not_allowed'],
    EXPIRED_TOKEN: ['not_allowed'],
    INVALID_SIGNATURE: ['not_allowed'],
    INVALID_API_KEY: ['not_allowed'],
    MISSING_AUTHENTICATION_TOKEN: ['route_not_found'],
    RESOURCE_NOT_FOUND: ['route_not_found'],
    REQUEST_TOO_LARGE: ['payload_too_large'],
    UNSUPPORTED_MEDIA_TYPE: ['unsupported_media_type'],
    THROTTLED: ['too_many_requests', '1'],
    QUOTA_EXCEEDED: ['too_many_requests', '1'],
  };

  test('the API has an expected problem for each response type that API Gateway documents', () => {
    expect(types).toEqual(expect.arrayContaining([...Object.keys(expected), 'INTEGRATION_TIMEOUT', 'WAF_FILTERED']));
  });

  test.each(types)('the API returns a problem for the gateway response %s', (type) => {
    const { StatusCode, ResponseTemplates, ResponseParameters } = responseTo(type) ?? responseTo(defaultOf(type));
    const [code, retryAfter] = (expected[type] ?? expected[defaultOf(type)]) as [ProblemCode, string?];
    const { status, title } = problems[code];
    expect(StatusCode).toBe(String(status));
    const body = ProblemDocument.strict().parse(JSON.parse(ResponseTemplates['application/json']));
    expect(body).toMatchObject({
      code,
      status,
      title,
      type: `urn:chat-system:problem:${code}`,
      request_id: '$context.requestId',
    });
    const header = (name: string) => ResponseParameters[`gatewayresponse.header.${name}`];
    for (const [name, value] of Object.entries(problemHeaders)) expect(header(name)).toBe(`'${value}'`);
    expect(header('content-type')).toBe("'application/problem+json'");
    expect(header('cache-control')).toBe("'no-store'");
    expect(header('x-request-id')).toBe('context.requestId');
    expect(header('Retry-After')).toBe(retryAfter && `'${retryAfter}'`);
    expect(header('accept-encoding')).toBe(code === 'unsupported_media_type' ? "'identity'" : undefined);
  });
});

test('the output ApiUrl ends without a slash, and the workflow on GitHub adds one', () => {
  const { Value } = stack.outputs.ApiUrl as { Value: { 'Fn::Join': [string, unknown[]] } };
  expect(JSON.stringify(Value['Fn::Join'][1].at(-1))).not.toMatch(/\/"$/);
  const workflow = readFileSync(path.resolve(import.meta.dirname, '../../.github/workflows/deploy-stage.yml'), 'utf8');
  expect(workflow).toMatch(/ApiUrl\)\.find\(Boolean\)'\)\/health"/);
});

describe('the log of the API', () => {
  const { AccessLogSetting, MethodSettings, TracingEnabled } = stack.one('AWS::ApiGateway::Stage').resource.Properties;

  test('the log of the API has a line of JSON for each request, with its id and the pattern of its route', () => {
    expect(JSON.parse(AccessLogSetting.Format)).toMatchObject({
      requestId: '$context.requestId',
      lambdaRequestId: '$context.integration.requestId',
      route: '$context.resourcePath',
      status: '$context.status',
    });
    const [logs] = AccessLogSetting.DestinationArn['Fn::GetAtt'];
    expect(stack.resources[logs]).toMatchObject({
      Type: 'AWS::Logs::LogGroup',
      Properties: { RetentionInDays: stages.prod.logRetention },
    });
  });

  test('the log of the API contains no path, address or other value that the client sent', () => {
    // Only the method comes from the request itself.
    const variables = [...AccessLogSetting.Format.matchAll(/\$context\.([\w.]+)/g)].map(([, name]) => name);
    expect(variables).not.toEqual([]);
    for (const name of variables)
      expect(name).not.toMatch(/^(path|protocol|domain|identity|authorizer|error\.message)/);
    expect(AccessLogSetting.Format).not.toContain('$input');
  });

  test('the log of the API is the only log, because execution logs would contain paths with tokens', () => {
    for (const { LoggingLevel = 'OFF', DataTraceEnabled } of MethodSettings)
      expect([LoggingLevel, DataTraceEnabled]).toEqual(['OFF', false]);
  });

  test('the log of the API is written with a role of the account, which is retained when stages are deleted', () => {
    const role = account.one('AWS::IAM::Role');
    const setting = account.one('AWS::ApiGateway::Account');
    expect(setting.resource.Properties.CloudWatchRoleArn).toEqual({ 'Fn::GetAtt': [role.id, 'Arn'] });
    for (const { resource } of [role, setting]) expect(resource.DeletionPolicy).toBe('Retain');
    expect(stack.ofType('AWS::ApiGateway::Account')).toEqual([]);
  });

  test('the log of the API is not accompanied by traces, because those of an API contain the URL', () => {
    expect(TracingEnabled).toBe(false);
  });
});

test('a route is throttled by what its requests cost behind the API', () => {
  const kinds = Object.groupBy(Object.keys(routes) as OperationId[], (name) => kindOf(routes[name]));
  expect(kinds).toMatchObject({
    registry: ['createApplication', 'listApplications'],
    search: ['searchChat', 'searchApplication'],
    service: ['getHealth', 'getOpenapi', 'getDocs', 'getConsole'],
    write: expect.arrayContaining(['createMessage', 'createMessages', 'editMessage', 'deleteApplication']),
    read: [
      'getApplication',
      'listChats',
      'getChat',
      'listMessages',
      'listChatChanges',
      'listApplicationChanges',
      'getMessage',
      'getFeed',
    ],
  });
});

test('in dev, the throttling of one route limits the cost of its writes to less than 6 dollars a day', () => {
  const perMillion = 6.01;
  const { rate, burst } = stages.dev.throttling.write;
  expect(burst).toBe(50);
  expect((rate * 86_400 * perMillion) / 1e6).toBeLessThan(6);
});

describe.each(Object.keys(stages) as StageName[])('throttling in stage %s', (name) => {
  const settings = synthesize(everyStage[name]).service.one('AWS::ApiGateway::Stage').resource.Properties
    .MethodSettings;
  const { throttling } = stages[name];

  test.each(Object.entries<Route>(routes))(
    `stage ${name} throttles %s by its kind, with each of its methods`,
    (_name, route) => {
      for (const method of methodsOf(route)) {
        const resourcePath = `/${route.path.replaceAll('/', '~1')}`;
        const [setting, ...others] = settings.filter(
          (each: { ResourcePath: string; HttpMethod: string }) =>
            each.ResourcePath === resourcePath && each.HttpMethod === method,
        );
        const { rate, burst } = throttling[kindOf(route)];
        expect(setting).toMatchObject({ ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst });
        expect(others).toEqual([]);
      }
    },
  );

  test(`stage ${name} throttles everything else, such as unknown paths, like routes without backend work`, () => {
    const { rate, burst } = throttling.service;
    expect(settings[0]).toMatchObject({ ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: rate });
    expect(settings[0]).toMatchObject({ ThrottlingBurstLimit: burst });
  });
});
