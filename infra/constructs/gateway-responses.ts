import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { problemHeaders } from '../../lib/api/headers.ts';
import { Problem, problemOf, routeNotFound } from '../../lib/api/problems.ts';
import { Throttled, Unavailable } from '../../lib/model/errors.ts';

const throttled = problemOf(new Throttled(undefined));

/** For requests that a WAF web ACL or a resource policy refuses. We deploy neither, but an operator may. */
const notAllowed = new Problem(
  'not_allowed',
  'A firewall rule or a policy of this deployment refused the request. Ask its operator to allow it.',
);

/**
 * The responses that API Gateway returns itself, without calling a function or when the call fails. A type that is not
 * listed gets the response and status of its default, so all types with status 403 are listed.
 */
const responses: [ResponseType, Problem][] = [
  [ResponseType.DEFAULT_4XX, new Problem('malformed_request', 'The request could not be read.')],
  // A function timed out, crashed or was throttled by Lambda. The write may still have been accepted.
  [ResponseType.DEFAULT_5XX, problemOf(new Unavailable(undefined))],
  // The fallback handles every path that has no resource of its own. API Gateway returns these two responses if a
  // request matches no resource at all, not even that of the fallback.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, routeNotFound()],
  [ResponseType.RESOURCE_NOT_FOUND, routeNotFound()],
  [ResponseType.WAF_FILTERED, notAllowed],
  [ResponseType.ACCESS_DENIED, notAllowed],
  [ResponseType.UNAUTHORIZED, notAllowed],
  [ResponseType.EXPIRED_TOKEN, notAllowed],
  [ResponseType.INVALID_SIGNATURE, notAllowed],
  [ResponseType.INVALID_API_KEY, notAllowed],
  // Reportedly AWS ignores this response and returns `{"message": …}` for bodies above 10 MB (docs/deploying.md).
  [ResponseType.REQUEST_TOO_LARGE, new Problem('payload_too_large', 'The body is larger than the gateway accepts.')],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    new Problem('unsupported_media_type', 'Send the body as application/json, in UTF-8, without a Content-Encoding.', {
      headers: { 'accept-encoding': 'identity' },
    }),
  ],
  [ResponseType.THROTTLED, throttled],
  [ResponseType.QUOTA_EXCEEDED, throttled],
];

/** Gives the responses of API Gateway the format of the problems that functions return. */
export function addGatewayResponses(api: RestApi): void {
  for (const [type, problem] of responses)
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode: String(problem.status),
      responseHeaders: {
        ...quoted({ ...problemHeaders, ...problem.headers }),
        'x-request-id': 'context.requestId',
      },
      templates: { 'application/json': JSON.stringify(problem.toJSON('$context.requestId')) },
    });
}

/** Quotes header values: API Gateway interprets a value without quotes as an expression. */
const quoted = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, `'${text}'`]));
