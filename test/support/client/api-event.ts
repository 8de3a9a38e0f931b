import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { HttpHandler } from '../../../functions/runtime/http/operation.ts';
import { type OperationId, type Route, routes } from '../../../lib/api/routes.ts';
import { apiStage, lambdaContext } from '../../../local/lambda-events.ts';

/** The parts of a request. Missing ones are replaced with valid values. */
export interface RequestParts {
  method?: string;
  /** The path as the client wrote it, if it differs from the route's. */
  path?: string;
  /** The path template that the host matched, such as `/applications/{token}`, if it is not that of the operation. */
  resource?: string;
  params?: Record<string, string>;
  query?: Record<string, string>;
  /** Header names as the client wrote them. */
  headers?: Record<string, string>;
  /** The values of headers that have several lines. The event's `headers` has the last one, as on API Gateway. */
  lines?: Record<string, string[]>;
  /** A string is sent as it is, everything else as JSON. */
  body?: unknown;
  /** A binary body in Base64, as API Gateway passes on what is not text. */
  bytes?: Uint8Array;
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The parsed text if it is JSON. */
  json: Record<string, unknown>;
}

/** The token in the event when the test gives none. */
export const someToken = 'Q2lDXdH2R2GfSqkhVYzhGg';
const validParams = { token: someToken, chat_number: '1', message_number: '1' };

/** Returns the proxy event of a request for an operation. */
export function apiEvent(id: OperationId, parts: RequestParts = {}): APIGatewayProxyEvent {
  const route: Route = routes[id];
  const params: Record<string, string> = { ...validParams, ...parts.params };
  const named = Object.fromEntries(Object.keys(route.params?.().shape ?? {}).map((name) => [name, params[name] ?? '']));
  const path = parts.path ?? route.path.replace(/\{(\w+)\}/g, (_, name: string) => named[name] as string);
  const lines = Object.entries(parts.lines ?? {});
  const headers = {
    ...(route.body && { 'Content-Type': 'application/json' }),
    ...parts.headers,
    ...Object.fromEntries(lines.map(([name, values]) => [name, values.at(-1)])),
  } as Record<string, string>;
  const text =
    typeof parts.body === 'string' ? parts.body : parts.body === undefined ? null : JSON.stringify(parts.body);
  return {
    resource: parts.resource ?? route.path,
    path,
    httpMethod: parts.method ?? route.method,
    headers,
    multiValueHeaders: parts.lines ?? {},
    queryStringParameters: parts.query ?? null,
    multiValueQueryStringParameters: null,
    pathParameters: Object.keys(named).length > 0 ? named : null,
    stageVariables: null,
    requestContext: {
      requestId: randomUUID(),
      path: `/${apiStage}${path}`,
      stage: apiStage,
    } as APIGatewayProxyEvent['requestContext'],
    body: parts.bytes ? Buffer.from(parts.bytes).toString('base64') : text,
    isBase64Encoded: parts.bytes !== undefined,
  };
}

/** Invokes a handler with an event and, if given, a remaining time in milliseconds. */
export async function answer(handler: HttpHandler, event: APIGatewayProxyEvent, timeMs?: number): Promise<Answered> {
  const { statusCode, headers, body }: APIGatewayProxyResult = await handler(event, lambdaContext('test', timeMs));
  const type = String(headers?.['content-type'] ?? '');
  return {
    status: statusCode,
    headers: headers as Record<string, string>,
    text: body,
    json: type.includes('json') && body ? JSON.parse(body) : {},
  };
}
