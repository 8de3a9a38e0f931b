import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { problemHeaders } from '../../lib/api/headers.ts';
import { Problem, problemOf } from '../../lib/api/problems.ts';
import { Throttled, Unavailable } from '../../lib/model/errors.ts';

const notFound = new Problem('route_not_found', 'No route has this path; see the docs page.');
const throttled = problemOf(new Throttled(undefined));

/** For what an operator puts in front of the API, such as a web ACL of WAF or a resource policy; we deploy none. */
const notAllowed = new Problem('not_allowed', 'A rule in front of the service refused the request.');

/**
 * The responses that API Gateway gives without calling a function, or when that fails. A type that is not named has the
 * response of its default, with that one's status; so those that are 403 by themselves are all named.
 */
const answers: [ResponseType, Problem][] = [
  [ResponseType.DEFAULT_4XX, new Problem('malformed_request', 'The request could not be read.')],
  // A function timed out, crashed or was throttled by Lambda. The write may still have been accepted.
  [ResponseType.DEFAULT_5XX, problemOf(new Unavailable(undefined))],
  // What has no resource of its own goes to the fallback; this is for what is beside all resources.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, notFound],
  [ResponseType.RESOURCE_NOT_FOUND, notFound],
  [ResponseType.WAF_FILTERED, notAllowed],
  [ResponseType.ACCESS_DENIED, notAllowed],
  [ResponseType.UNAUTHORIZED, notAllowed],
  [ResponseType.EXPIRED_TOKEN, notAllowed],
  [ResponseType.INVALID_SIGNATURE, notAllowed],
  [ResponseType.INVALID_API_KEY, notAllowed],
  // By reports, AWS does not apply this one, and answers bodies above 10 MB by `{"message": …}` (docs/deploying.md).
  [ResponseType.REQUEST_TOO_LARGE, new Problem('payload_too_large', 'The body is larger than the gateway takes.')],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    new Problem('unsupported_media_type', 'Send the body as application/json, in UTF-8.'),
  ],
  [ResponseType.THROTTLED, throttled],
  [ResponseType.QUOTA_EXCEEDED, throttled],
];

/** Gives the gateway's own responses the form of the handlers' problems. */
export function addGatewayAnswers(api: RestApi): void {
  for (const [type, problem] of answers)
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

/** A text as it stands is quoted; what is not is an expression. */
const quoted = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, `'${text}'`]));
