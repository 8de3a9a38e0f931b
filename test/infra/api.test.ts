import { describe, expect, test } from 'vitest';
import { ProblemDocument } from '../../lib/api/answers.ts';
import { commonHeaders } from '../../lib/api/headers.ts';
import { type ProblemCode, problems } from '../../lib/api/problems.ts';
import { methodsOf, type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { given, synthesize } from '../support/synthesis.ts';

const stack = synthesize(given);

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
  const answersOf = (path: string, method: string) =>
    methods.find((each) => each.path === path && each.method === method)?.goesTo ?? 'nothing';

  test.each(Object.entries<Route>(routes))('%s is served by its function, under each of its methods', (name, route) => {
    for (const method of methodsOf(route))
      expect(answersOf(route.path, method)).toContain(`"${stack.function(name as OperationId).id}"`);
  });

  test('has no methods beside those of the table', () => {
    const table = Object.values<Route>(routes).flatMap((route) =>
      methodsOf(route).map((method) => `${method} ${route.path}`),
    );
    const others = methods.filter(({ method }) => method !== 'ANY').map(({ method, path }) => `${method} ${path}`);
    expect(others.sort()).toEqual(table.sort());
    expect(methods.every(({ kind }) => kind === 'AWS_PROXY')).toBe(true);
  });

  test('gives wrong methods, preflights and unknown paths to the fallback', () => {
    for (const path of [...paths.values()])
      expect(answersOf(path, 'ANY')).toContain(`"${stack.function('fallback').id}"`);
    expect([...paths.values()]).toEqual(expect.arrayContaining(['', '/{proxy+}']));
  });

  test('is a stage named as the base path, and hands bodies over as they were sent', () => {
    expect(stack.one('AWS::ApiGateway::Stage').resource.Properties).toMatchObject({ StageName: 'v1' });
    expect(stack.one('AWS::ApiGateway::RestApi').resource.Properties).toMatchObject({
      BinaryMediaTypes: ['*/*'],
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
  });

  test.each<[string, ProblemCode, string?]>([
    ['DEFAULT_4XX', 'malformed_request'],
    ['DEFAULT_5XX', 'unavailable', '5'],
    ['MISSING_AUTHENTICATION_TOKEN', 'route_not_found'],
    ['RESOURCE_NOT_FOUND', 'route_not_found'],
    ['REQUEST_TOO_LARGE', 'payload_too_large'],
    ['UNSUPPORTED_MEDIA_TYPE', 'unsupported_media_type'],
    ['THROTTLED', 'too_many_requests', '1'],
    ['QUOTA_EXCEEDED', 'too_many_requests', '1'],
  ])('answers %s of its own as the problem %s', (type, code, retryAfter) => {
    const found = stack
      .ofType('AWS::ApiGateway::GatewayResponse')
      .find(([, { Properties }]) => Properties.ResponseType === type);
    const { StatusCode, ResponseTemplates, ResponseParameters } = found?.[1].Properties ?? {};
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
    for (const [name, value] of Object.entries(commonHeaders)) expect(header(name)).toBe(`'${value}'`);
    expect(header('content-type')).toBe("'application/problem+json'");
    expect(header('x-request-id')).toBe('context.requestId');
    expect(header('Retry-After')).toBe(retryAfter && `'${retryAfter}'`);
  });
});
