import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent, Context, SQSEvent } from 'aws-lambda';
import { loggedByHost } from '../functions/runtime/http/proxy-result.ts';
import type { ScheduledEvent } from '../functions/runtime/schedule.ts';
import type { Delivery } from '../lib/queue/queue.ts';

// Events like those of AWS, so that the handlers run here exactly as they do there.

/** The name of the API's stage, which is the first segment of every path. */
export const apiStage = 'v1';

/** The time limit in a context unless the caller gives another, in milliseconds. Nothing here enforces it. */
const functionTimeMs = 29_000;

/** Returns the context of a function with this time limit, in milliseconds. */
export function lambdaContext(functionName: string, timeMs: number = functionTimeMs): Context {
  const end = performance.now() + timeMs;
  return { ...timelessContext(functionName, randomUUID()), getRemainingTimeInMillis: () => end - performance.now() };
}

/**
 * Returns the context of a request. It has no time limit: no gateway here would stop waiting, and setting and clearing
 * a timer for each request takes a tenth of a response's processor time.
 */
export const requestContext = (functionName: string, requestId: string): Context =>
  timelessContext(functionName, requestId) as Partial<Context> as Context;

const nothing = (): void => undefined;

function timelessContext(
  functionName: string,
  awsRequestId: string,
): Omit<Context, 'getRemainingTimeInMillis'> & { [loggedByHost]: true } {
  return {
    [loggedByHost]: true,
    awsRequestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
    memoryLimitInMB: '1769',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    done: nothing,
    fail: nothing,
    succeed: nothing,
  };
}

/** A request that the host has received. */
export interface HostRequest {
  raw: IncomingMessage;
  /** The id of the request. */
  id: string;
  /** The parameters in its path, decoded. */
  params: Record<string, string>;
}

const noLines: Record<string, string[]> = Object.freeze({});

/**
 * Returns the lines of each header, as `multiValueHeaders` on API Gateway. A request without a repeated header gets none,
 * because the handlers read only repeated ones, and collecting them takes time for every request.
 */
export function headerLinesOf(request: IncomingMessage): Record<string, string[]> {
  let names = 0;
  for (const _name in request.headers) names++;
  return request.rawHeaders.length > 2 * names ? (request.headersDistinct as Record<string, string[]>) : noLines;
}

/**
 * Returns the proxy event of an HTTP request.
 *
 * @param resource the route's path in the table
 * @param body the request's body as it was read; undefined if there is none or it is ignored
 */
export function proxyEvent({ raw, id, params }: HostRequest, resource: string, body?: Buffer): APIGatewayProxyEvent {
  const { url = '', method = '', headers: received } = raw;
  const [path, search] = splitOnce(url, '?');
  // A request without Accept takes any media type (RFC 9110, section 12.5.1).
  const headers: Record<string, string> = { accept: '*/*' };
  for (const name in received) {
    const value = received[name];
    if (value !== undefined) headers[name] = Array.isArray(value) ? (value.at(-1) as string) : value;
  }
  const plain = !body || isUtf8(body);
  return {
    resource,
    path: withoutStage(path),
    httpMethod: method,
    headers,
    ...queryOf(search),
    multiValueHeaders: headerLinesOf(raw),
    pathParameters: params,
    stageVariables: null,
    // API Gateway fills in much more; the handlers read only these.
    requestContext: {
      requestId: id,
      path,
      stage: apiStage,
      resourcePath: resource,
    } as APIGatewayProxyEvent['requestContext'],
    body: body?.length ? body.toString(plain ? 'utf8' : 'base64') : null,
    isBase64Encoded: !plain,
  };
}

/**
 * Returns the parameters of a query: the last value of each and, if one occurs several times, all values of each. The
 * handlers read all values only of repeated parameters, and collecting them takes time for every request.
 */
function queryOf(
  search: string,
): Pick<APIGatewayProxyEvent, 'queryStringParameters' | 'multiValueQueryStringParameters'> {
  if (!search) return { queryStringParameters: null, multiValueQueryStringParameters: null };
  const parameters = new URLSearchParams(search);
  const last = Object.fromEntries(parameters);
  const names = Object.keys(last);
  return {
    queryStringParameters: last,
    multiValueQueryStringParameters:
      parameters.size > names.length ? Object.fromEntries(names.map((name) => [name, parameters.getAll(name)])) : null,
  };
}

/** Returns the event of a batch of queue messages. */
export const sqsEvent = (queue: string, deliveries: Delivery[]): SQSEvent => ({
  Records: deliveries.map(({ receipt, body, receives }) => ({
    messageId: receipt,
    receiptHandle: receipt,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: '',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:local:000000000000:${queue}`,
    awsRegion: 'local',
  })),
});

/** Returns the event of a schedule's run. */
export const scheduledEvent = (): ScheduledEvent => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '000000000000',
  time: new Date().toISOString(),
  region: 'local',
  resources: [],
  detail: {},
});

/**
 * Returns a path without its first segment, which is the stage, even if it is percent-encoded. The target of a request
 * to a proxy begins with a scheme and a host (RFC 9112, section 3.2.2).
 */
const withoutStage = (path: string): string =>
  /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?\/[^/]*(\/.*)?$/i.exec(path)?.[1] ?? '/';

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
