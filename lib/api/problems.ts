import { limits } from '../limits.ts';

/** Every problem the API answers: its code, HTTP status and title (RFC 9457). */
export const problems = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  malformed_json: { status: 400, title: 'The request body is not valid JSON' },
  admin_key_required: { status: 401, title: 'The admin key is missing or wrong' },
  not_allowed: { status: 403, title: 'The caller may not do this' },
  route_not_found: { status: 404, title: 'There is no such route' },
  application_not_found: { status: 404, title: 'There is no such application' },
  chat_not_found: { status: 404, title: 'There is no such chat' },
  message_not_found: { status: 404, title: 'There is no such message' },
  message_pending: { status: 404, title: 'The message is accepted but not stored yet' },
  method_not_allowed: { status: 405, title: 'The route does not know this method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  idempotency_in_flight: { status: 409, title: 'The first request with this Idempotency-Key is still in flight' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The request body is not JSON' },
  validation_failed: { status: 422, title: 'The request is not valid' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another payload' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'The service cannot answer right now' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One fault of a request: a JSON Pointer into the body, or the name of a parameter or header, and what is wrong. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** A request that can't be done; the HTTP stack answers it as `application/problem+json`. */
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

  /** The body of the answer. */
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

export const applicationNotFound = () =>
  new Problem('application_not_found', 'No application has this token; it may have been deleted.');
export const chatNotFound = (chat: number) =>
  new Problem('chat_not_found', `The application has no chat ${chat}; it may have been deleted.`);
export const messageNotFound = (number: number) =>
  new Problem('message_not_found', `The chat has no message ${number}; it may have been deleted.`);
export const messagePending = (number: number) =>
  new Problem('message_pending', `Message ${number} is accepted and will be readable in a moment.`, {
    headers: { 'Retry-After': String(limits.retryAfterSeconds) },
  });
export const unavailable = (cause: unknown) =>
  new Problem('unavailable', 'A part of the service is out; try again. A write may have been accepted all the same.', {
    headers: { 'Retry-After': String(limits.unavailableRetryAfterSeconds) },
    cause,
  });
export const tooManyRequests = (cause: unknown) =>
  new Problem(
    'too_many_requests',
    'More requests than can be counted right now; this one changed nothing. Try again.',
    {
      headers: { 'Retry-After': String(limits.retryAfterSeconds) },
      cause,
    },
  );
/** Names the first {@link limits.faults} faults, and says so where there are more. */
export const validationFailed = (faults: Fault[]) => {
  const errors = faults.slice(0, limits.faults);
  const named = errors.map(({ pointer, detail }) => `${pointer || 'The body'} ${detail}`);
  if (faults.length > errors.length) named.push('and there are more faults');
  return new Problem('validation_failed', named.join('; '), { errors });
};
