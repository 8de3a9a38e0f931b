import { createHash, timingSafeEqual } from 'node:crypto';
import { MIMEType } from 'node:util';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Access } from '../../../lib/access/access.ts';
import { Problem, routeNotFound } from '../../../lib/api/problems.ts';
import { pathsOf, type Route } from '../../../lib/api/routes.ts';
import { limits } from '../../../lib/limits.ts';
import { type BearerCaller, callerOf, self, verifiedCaller } from './bearer.ts';
import { pathCheck } from './route-path.ts';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * The longest accepted content type, in characters; no JSON media type with a charset is longer. There is a limit
 * because MIMEType takes 100 ms for 16 kB of spaces.
 */
const longestContentType = 255;

/** Returns whether a body of this content type is JSON in UTF-8. */
function isJson(contentType: string | undefined): boolean {
  // Nearly every request has this value, and parsing it takes a hundred times as long.
  if (contentType === 'application/json') return true;
  if (contentType && contentType.length > longestContentType) return false;
  try {
    const type = new MIMEType(contentType ?? '');
    const charset = type.params.get('charset')?.toLowerCase() ?? 'utf-8';
    return ['application/json', 'application/merge-patch+json'].includes(type.essence) && charset === 'utf-8';
  } catch {
    return false;
  }
}

/** Returns whether a body with this `Content-Encoding` is sent as it is. */
const isUncoded = (contentEncoding: string | undefined): boolean =>
  !contentEncoding || contentEncoding.split(',').every((coding) => /^\s*(identity)?\s*$/i.test(coding));

/**
 * Returns the problem with the format of a body; undefined if the body can be read.
 *
 * @param headers those of the request, by their names in lower case
 */
export function formatProblem(headers: Headers): Problem | undefined {
  if (!isJson(headers['content-type']?.toString()))
    return new Problem('unsupported_media_type', 'Send the body as application/json, in UTF-8.');
  if (!isUncoded(headers['content-encoding']?.toString()))
    return new Problem('unsupported_media_type', 'Send the body as it is, without a Content-Encoding.', {
      // This header says that the coding is the fault, and which one to use (RFC 9110, section 15.5.16).
      headers: { 'accept-encoding': 'identity' },
    });
  return undefined;
}

/** The headers of a request, by their names in lower case. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Returns whether a browser reports that a page of another origin makes this request. Only host and port are compared,
 * because a server behind a proxy cannot know its scheme. Callers other than browsers send no `Origin`.
 */
function isForeignPage(headers: Headers): boolean {
  if (headers.origin === undefined) return false;
  const [origin, host] = [String(headers.origin), String(headers.host ?? '')];
  // URL removes the default port of the scheme, which either header may contain.
  const page = URL.parse(origin);
  return !page?.host || page.host !== URL.parse(`${page.protocol}//${host}`)?.host;
}

/**
 * Checks the head of a request in the contract's order: the admin key or, when none is set, the page that makes the
 * request; then the content type, the content coding and the size of the body.
 *
 * @param bodyBytes size of the body; 0 when there is none, or when it is not known yet
 * @throws Problem when the request is refused
 */
export type HeadCheck = (headers: Headers, bodyBytes: number) => void;

/** Returns whether a text is the admin key. Comparing digests takes the same time whatever the text is. */
export function adminKeyCheck(adminKey: string): (given: string) => boolean {
  const expected = digest(adminKey);
  return (given) => timingSafeEqual(digest(given), expected);
}

/** Returns the check of a route's requests. `adminKey` is undefined when the registry of applications is open. */
export function headCheck(route: Route, adminKey: string | undefined): HeadCheck {
  const isAdmin = route.admin && adminKey ? adminKeyCheck(adminKey) : undefined;
  const open = route.admin && !adminKey;
  return (headers, bodyBytes) => {
    if (isAdmin && !isAdmin(String(headers['x-api-key'] ?? '')))
      throw new Problem('admin_key_required', 'Send the admin key in the header x-api-key.');
    if (open && isForeignPage(headers))
      throw new Problem(
        'not_allowed',
        'Pages of another origin may not create or list applications while no admin key is set. Set ADMIN_KEY and send it in x-api-key, or call from a server.',
      );
    if (!route.body || bodyBytes === 0) return;
    const problem = formatProblem(headers);
    if (problem) throw problem;
    if (bodyBytes > limits.requestBytes)
      throw new Problem('payload_too_large', `The body has more than ${limits.requestBytes} bytes.`);
  };
}

/** An event after admission. `caller` is undefined when the path has an application's token, or none at all. */
export type AdmittedEvent = APIGatewayProxyEvent & { caller?: BearerCaller };

/** An event before admission. */
export type IncomingEvent = APIGatewayProxyEvent & { [verifiedCaller]?: BearerCaller | undefined };

/**
 * Checks the path, the access token and the head of a request before its body is parsed. In a path with `self`, replaces
 * it with the token of the application that the bearer token is for.
 *
 * @param access undefined for a route that is not below an application
 */
export function admission(
  route: Route,
  adminKey: string | undefined,
  access: Access | undefined,
): MiddlewareObj<IncomingEvent> {
  const paths = new Map(pathsOf(route).map((path) => [path, pathCheck(path)]));
  const checkHead = headCheck(route, adminKey);
  const identify = async (event: IncomingEvent, known: Access): Promise<void> => {
    const inQuery = route.tokenInQuery && event.queryStringParameters?.access_token;
    const caller = event[verifiedCaller] ?? (await callerOf(event.headers, known, inQuery));
    Object.assign(event, { caller, pathParameters: { ...event.pathParameters, token: caller.token } });
  };
  const check = ({ body, headers, isBase64Encoded }: IncomingEvent): void =>
    checkHead(headers, body ? Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8') : 0);
  return {
    before: ({ event }) => {
      if (!paths.get(event.resource)?.(event.path)) throw routeNotFound();
      if (access && event.pathParameters?.token === self) return identify(event, access).then(() => check(event));
      return check(event);
    },
  };
}
