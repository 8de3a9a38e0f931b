import type { components } from './openapi.ts';

type Problem = components['schemas']['Problem'];

/** One error in an invalid request: where it is, and what is wrong there. */
export type Fault = NonNullable<Problem['errors']>[number];

/**
 * The kind of an error: a `code` of the API; `no_response` when no response came (a network error or a timeout); or
 * `unexpected_response` when the response is not one of a chat system, such as the page of a proxy. Later versions of
 * the API may add codes.
 */
export type ErrorCode = Problem['code'] | 'no_response' | 'unexpected_response' | (string & {});

interface Facts {
  /** The HTTP status; 0 when no response came. */
  status: number;
  code: ErrorCode;
  /** What is wrong with this request. */
  detail: string;
  errors?: readonly Fault[] | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number;
  cause?: unknown;
}

/** What a request that fails throws. An aborted call throws the reason of its signal instead. */
export class ChatSystemError extends Error {
  /** The HTTP status; 0 when no response came. */
  readonly status: number;
  readonly code: ErrorCode;
  /** What is wrong with this request. The text may change; compare `code`. */
  readonly detail: string;
  /** The errors in an invalid request; empty for every other failure. */
  readonly errors: readonly Fault[];
  /** The `x-request-id` of the response, by which the operator finds the request in the logs. */
  readonly requestId: string | undefined;
  /** The milliseconds that the response asked to wait before a retry; 0 if it did not ask. */
  readonly retryAfterMs: number;

  constructor({ status, code, detail, errors = [], requestId, retryAfterMs = 0, cause }: Facts) {
    super(`${code}: ${detail}`, { cause });
    this.name = 'ChatSystemError';
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.errors = errors;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether a retry of the same request may succeed. */
  get isTemporary(): boolean {
    return (
      [0, 429, 502, 503, 504].includes(this.status) || ['idempotency_in_flight', 'message_pending'].includes(this.code)
    );
  }
}

/** Returns the error of a response that is not a success. */
export function errorOf(response: Response, text: string): ChatSystemError {
  const problem = parsed(text) as Partial<Problem> | undefined;
  const isProblem = typeof problem?.code === 'string' && typeof problem.detail === 'string';
  return new ChatSystemError({
    status: response.status,
    code: isProblem ? (problem.code as string) : 'unexpected_response',
    detail: isProblem
      ? (problem.detail as string)
      : `The server responded with status ${response.status}, but not as a chat system does.`,
    errors: problem?.errors,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: (Number(response.headers.get('retry-after')) || 0) * 1_000,
  });
}

/** Returns the parsed JSON; undefined for anything else. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
