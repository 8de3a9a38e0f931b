import { usualBody } from '../../texts/usual-body.ts';

const headers = {
  Accept: '*/*',
  'Accept-Encoding': 'gzip, deflate, br',
  'Content-Type': 'application/json',
  Host: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  'X-Amzn-Trace-Id': 'Root=1-691f9d2e-4bd9d6a30f3a5c2e7f1b8d60',
  'X-Forwarded-For': '203.0.113.17',
  'X-Forwarded-Port': '443',
  'X-Forwarded-Proto': 'https',
};
const path = '/applications/Q2lDXdH2R2GfSqkhVYzhGg/chats/1/messages';

/**
 * A request to create a message, as API Gateway passes it to the function. The body is in Base64, see
 * infra/constructs/api.ts.
 */
export const createEvent = {
  resource: '/applications/{token}/chats/{chat_number}/messages',
  path,
  httpMethod: 'POST',
  headers,
  multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: { token: 'Q2lDXdH2R2GfSqkhVYzhGg', chat_number: '1' },
  stageVariables: null,
  requestContext: {
    resourceId: 'k3x8qz',
    resourcePath: '/applications/{token}/chats/{chat_number}/messages',
    httpMethod: 'POST',
    extendedRequestId: 'VGhpcyBpcyBvbmU=',
    requestTime: '21/Nov/2026:09:30:00 +0000',
    path: `/v1${path}`,
    accountId: '000000000000',
    protocol: 'HTTP/1.1',
    stage: 'v1',
    domainPrefix: 'a1b2c3d4e5',
    requestTimeEpoch: 1_795_253_400_123,
    requestId: '0d6f5a3c-7c0e-4f6e-9c8d-1b2a3c4d5e6f',
    identity: { sourceIp: '203.0.113.17', userAgent: headers['User-Agent'] },
    domainName: headers.Host,
    apiId: 'a1b2c3d4e5',
  },
  body: Buffer.from(JSON.stringify({ body: usualBody })).toString('base64'),
  isBase64Encoded: true,
};
