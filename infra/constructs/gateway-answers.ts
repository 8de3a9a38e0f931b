import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { problemHeaders } from '../../lib/api/headers.ts';
import { Problem, unavailable } from '../../lib/api/problems.ts';
import { limits } from '../../lib/limits.ts';

const notFound = new Problem('route_not_found', 'There is nothing at this path; see the docs page.');
const throttled = new Problem('too_many_requests', 'There are more requests than the service takes; try again.', {
  headers: { 'Retry-After': String(limits.retryAfterSeconds) },
});

/** What API Gateway answers without asking a function, or when that fails. Every type not named has a default's answer. */
const answers: [ResponseType, Problem][] = [
  [ResponseType.DEFAULT_4XX, new Problem('malformed_request', 'The request could not be read.')],
  // A function that timed out, broke down or was throttled by Lambda: the write may be accepted all the same.
  [ResponseType.DEFAULT_5XX, unavailable(undefined)],
  // What has no resource of its own goes to the fallback; this is for what is beside all resources.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, notFound],
  [ResponseType.RESOURCE_NOT_FOUND, notFound],
  [ResponseType.REQUEST_TOO_LARGE, new Problem('payload_too_large', 'The body is larger than the gateway takes.')],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    new Problem('unsupported_media_type', 'Send the body as application/json, in UTF-8.'),
  ],
  [ResponseType.THROTTLED, throttled],
  [ResponseType.QUOTA_EXCEEDED, throttled],
];

/** Makes what the gateway itself answers look like what the handlers do. */
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
