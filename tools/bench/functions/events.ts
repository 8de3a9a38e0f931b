import { usualBody } from '../../texts/usual-body.ts';

const usualHeaders = {
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
const token = 'Q2lDXdH2R2GfSqkhVYzhGg';

interface Request {
  httpMethod: 'GET' | 'POST';
  /** The part of the path after the chat, and the same in the route. */
  path: string;
  resource?: string;
  pathParameters?: Record<string, string>;
  query?: Record<string, string>;
  body?: object;
  acceptEncoding?: string;
}

/** Returns a request as API Gateway passes it to the function. */
function eventOf({ path: below, resource = below, pathParameters, query, body, ...request }: Request) {
  const { httpMethod, acceptEncoding = usualHeaders['Accept-Encoding'] } = request;
  const headers = { ...usualHeaders, 'Accept-Encoding': acceptEncoding };
  const path = `/applications/${token}/chats/1${below}`;
  const resourcePath = `/applications/{token}/chats/{chat_number}${resource}`;
  return {
    resource: resourcePath,
    path,
    httpMethod,
    headers,
    multiValueHeaders: valuesOf(headers),
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query ? valuesOf(query) : null,
    pathParameters: { token, chat_number: '1', ...pathParameters },
    stageVariables: null,
    requestContext: {
      resourceId: 'k3x8qz',
      resourcePath,
      httpMethod,
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
    // In Base64, see infra/constructs/api.ts.
    body: body ? Buffer.from(JSON.stringify(body)).toString('base64') : null,
    isBase64Encoded: body !== undefined,
  };
}

const valuesOf = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));

/** The token and the chat of the requests. */
export const requested = { token, chat: 1 };

const page: Request = { httpMethod: 'GET', path: '/messages', query: { limit: '50' } };

/** A request for each function whose processor time is measured. */
export const events = {
  createMessage: eventOf({ httpMethod: 'POST', path: '/messages', body: { body: usualBody } }),
  getMessage: eventOf({
    httpMethod: 'GET',
    path: '/messages/17',
    resource: '/messages/{message_number}',
    pathParameters: { message_number: '17' },
  }),
  listMessages: eventOf({ ...page, acceptEncoding: 'identity' }),
  listMessagesCompressed: eventOf(page),
};
