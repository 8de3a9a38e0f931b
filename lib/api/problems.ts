import { limits } from '../limits.ts';
import type * as errors from '../model/errors.ts';

/** Every problem of the API: its code, HTTP status and title (RFC 9457). */
export const problems = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  malformed_json: { status: 400, title: 'The request body is not valid JSON' },
  admin_key_required: { status: 401, title: 'The admin key is missing or wrong' },
  access_token_required: { status: 401, title: 'The bearer token is missing' },
  access_token_invalid: { status: 401, title: 'The bearer token is not valid' },
  access_token_expired: { status: 401, title: 'The access token has expired' },
  not_allowed: { status: 403, title: 'The caller may not do this' },
  route_not_found: { status: 404, title: 'There is no such route' },
  application_not_found: { status: 404, title: 'There is no such application' },
  chat_not_found: { status: 404, title: 'There is no such chat' },
  message_not_found: { status: 404, title: 'There is no such message' },
  message_pending: { status: 404, title: 'The message is accepted but not stored yet' },
  method_not_allowed: { status: 405, title: 'The route does not allow this method' },
  not_acceptable: { status: 406, title: 'The response has none of the accepted media types' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  idempotency_in_flight: { status: 409, title: 'The first request with this Idempotency-Key is still in progress' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The request body is not JSON' },
  validation_failed: { status: 422, title: 'The request is not valid' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with a different payload' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },
  internal_error: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'The service is temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One fault of a request. `pointer` is a JSON Pointer into the body, or the name of a parameter or header. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** A failed request as the client sees it; the HTTP stack sends it as `application/problem+json`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: { errors?: Fault[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: more.cause });
    this.name = 'Problem';
    this.code = code;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return problems[this.code].status;
  }

  /** Returns the body of the response. */
  toJSON(requestId: string) {
    return {
      type: `urn:chat-system:problem:${this.code}`,
      title: problems[this.code].title,
      status: this.status,
      detail: this.message,
      code: this.code,
      request_id: requestId,
      ...(this.errors && { errors: this.errors }),
    };
  }
}

/** Every class of lib/model/errors.ts that can be thrown. */
type ThrownError = InstanceType<
  Extract<(typeof errors)[keyof typeof errors], new (...args: never) => errors.DomainError>
>;

const retryAfter = (seconds: number) => ({ 'Retry-After': String(seconds) });

const notFound = {
  application: 'application_not_found',
  chat: 'chat_not_found',
  message: 'message_not_found',
} as const;

/** The path parameter that identifies an application, chat or message. */
const parameterOf = { application: 'token', chat: 'chat_number', message: 'message_number' } as const;

/** The problem of each domain error. A class without an entry is a type error. */
const problemsOfErrors: { [Thrown in ThrownError as Thrown['name']]: (error: Thrown) => Problem } = {
  NotFound: ({ missing: [what, number] }) =>
    new Problem(
      notFound[what],
      what === 'application'
        ? 'No application has this token; it may have been deleted.'
        : `The ${what === 'chat' ? 'application' : 'chat'} has no ${what} ${number}; it may have been deleted.`,
    ),
  KeyReused: () =>
    new Problem('idempotency_key_reused', 'This Idempotency-Key was already used with a different request body.'),
  KeyInFlight: () =>
    new Problem(
      'idempotency_in_flight',
      `The first request with this Idempotency-Key is still in progress. Retry after ${limits.retryAfterSeconds} s.`,
      { headers: retryAfter(limits.retryAfterSeconds) },
    ),
  NumbersUsedUp: ({ parent }) =>
    validationFailed([
      {
        pointer: parameterOf[parent],
        detail:
          parent === 'application'
            ? `names an application that has used all ${limits.highestNumber} chat numbers; create another application`
            : `names a chat that has too few of its ${limits.highestNumber} message numbers left; create another chat`,
      },
    ]),
  RevisionsUsedUp: ({ what }) =>
    validationFailed([
      {
        pointer: parameterOf[what],
        detail: `names ${what === 'application' ? 'an' : 'a'} ${what} that was edited ${limits.highestRevision} times, which is the limit`,
      },
    ]),
  Throttled: ({ cause }) =>
    new Problem(
      'too_many_requests',
      `Rate limit exceeded; this request was not applied. Retry after ${limits.retryAfterSeconds} s.`,
      { headers: retryAfter(limits.retryAfterSeconds), cause },
    ),
  Unavailable: ({ cause }) =>
    new Problem(
      'unavailable',
      `A dependency is unavailable. A write may still have been accepted. Retry after ${limits.unavailableRetryAfterSeconds} s.`,
      { headers: retryAfter(limits.unavailableRetryAfterSeconds), cause },
    ),
};

/** Returns the problem that a client gets for a domain error. */
export const problemOf = (error: errors.DomainError): Problem =>
  // Each entry takes the errors that have its name.
  problemsOfErrors[error.name as ThrownError['name']](error as never);

/** No route has the path of the request. */
export const routeNotFound = () => new Problem('route_not_found', 'No route has this path; see the docs page.');
/**
 * Returns the header that says how to authenticate, and what is wrong with the credential if there was one (RFC 6750,
 * section 3).
 */
const challenge = (error?: 'invalid_token' | 'insufficient_scope') => ({
  'www-authenticate': error ? `Bearer error="${error}"` : 'Bearer',
});
/** A path with `self` and no bearer token. */
export const accessTokenRequired = () =>
  new Problem(
    'access_token_required',
    "Send an access token, or the application's token, in the header Authorization: Bearer.",
    { headers: challenge() },
  );
/** A path with `self` and a bearer token that is not valid, or not any more. */
export const accessTokenInvalid = () =>
  new Problem(
    'access_token_invalid',
    'The bearer token is neither a valid access token nor the token of an application. Access tokens may have been ended, and the application may have been deleted. Request a new access token.',
    { headers: challenge('invalid_token') },
  );
export const accessTokenExpired = () =>
  new Problem('access_token_expired', 'The access token has expired. Request a new one.', {
    headers: challenge('invalid_token'),
  });
/** The access token does not allow the request. `lacks` completes the sentence "The access token lacks …". */
export const notAllowed = (lacks: string) =>
  new Problem('not_allowed', `The access token lacks ${lacks}.`, { headers: challenge('insufficient_scope') });
/** The client accepts none of these media types. */
export const notAcceptable = (mediaTypes: string[]) =>
  new Problem(
    'not_acceptable',
    `The response is available as ${mediaTypes.join(' or ')} only. Change the header Accept, or leave it out.`,
  );
/** The message is accepted but not stored yet. */
export const messagePending = (number: number) =>
  new Problem(
    'message_pending',
    `Message ${number} is accepted but not stored yet. Retry after ${limits.retryAfterSeconds} s.`,
    { headers: retryAfter(limits.retryAfterSeconds) },
  );
/** A bug on our side; the caller logs its cause. */
export const internalError = () => new Problem('internal_error', 'Internal error; it has been logged.');
/** The request breaks rules of the contract. The problem names the first {@link limits.faults} faults. */
export const validationFailed = (faults: Fault[]) => {
  const named = faults.slice(0, limits.faults);
  const details = named.map(({ pointer, detail }) => `${pointer || 'The body'} ${detail}`);
  if (faults.length > named.length) details.push('and there are more faults');
  return new Problem('validation_failed', details.join('; '), { errors: named });
};
