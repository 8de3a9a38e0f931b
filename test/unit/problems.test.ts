import { expect, test } from 'vitest';
import * as made from '../../lib/api/problems.ts';
import { ProblemDocument } from '../../lib/api/responses.ts';
import { limits } from '../../lib/limits.ts';
import {
  type DomainError,
  KeyInFlight,
  KeyReused,
  NotFound,
  NumbersUsedUp,
  RevisionsUsedUp,
  Throttled,
  Unavailable,
} from '../../lib/model/errors.ts';

const { Problem, problems } = made;
type Code = made.ProblemCode;

test('every problem of the contract has its status', () => {
  const contract: Record<number, Code[]> = {
    400: ['malformed_json'],
    401: ['admin_key_required'],
    404: ['route_not_found', 'application_not_found', 'chat_not_found', 'message_not_found', 'message_pending'],
    405: ['method_not_allowed'],
    409: ['idempotency_in_flight'],
    413: ['payload_too_large'],
    415: ['unsupported_media_type'],
    422: ['validation_failed', 'idempotency_key_reused'],
    429: ['too_many_requests'],
    500: ['internal_error'],
    503: ['unavailable'],
  };
  for (const [status, codes] of Object.entries(contract))
    for (const code of codes) expect(problems[code].status).toBe(Number(status));
});

test('a problem is what RFC 9457 asks for, with its code and the request’s id', () => {
  for (const [code, { status, title }] of Object.entries(problems) as [Code, { status: number; title: string }][]) {
    const body = new Problem(code, 'What happened.').toJSON('request-1');
    expect(body).toEqual({
      type: `urn:chat-system:problem:${code}`,
      title,
      status,
      detail: 'What happened.',
      code,
      request_id: 'request-1',
    });
    expect(ProblemDocument.strict().parse(body)).toEqual(body);
  }
});

test('a validation problem names every fault, in its list and in its sentence', () => {
  const errors = [
    { pointer: '/messages/1/body', detail: 'must not be blank' },
    { pointer: 'limit', detail: 'must be a whole number from 1 to 100' },
    { pointer: '', detail: 'must be a JSON object' },
  ];
  expect(made.validationFailed(errors).toJSON('r')).toMatchObject({
    status: 422,
    errors,
    detail:
      '/messages/1/body must not be blank; limit must be a whole number from 1 to 100; The body must be a JSON object',
  });
});

const out = new Unavailable(new Error('SQLITE_FULL: /secret/path'));
const domainErrors: [DomainError, Code, string?][] = [
  [new NotFound('application'), 'application_not_found', 'No application has this token'],
  [new NotFound('chat', 7), 'chat_not_found', 'The application has no chat 7'],
  [new NotFound('message', 8), 'message_not_found', 'The chat has no message 8'],
  [new KeyReused(), 'idempotency_key_reused'],
  [new KeyInFlight(), 'idempotency_in_flight', `Retry after ${limits.retryAfterSeconds} s`],
  [new NumbersUsedUp('application'), 'validation_failed', 'token names an application'],
  [new NumbersUsedUp('chat'), 'validation_failed', 'chat_number names a chat'],
  [new RevisionsUsedUp('application'), 'validation_failed', 'token names an application'],
  [new RevisionsUsedUp('chat'), 'validation_failed', 'chat_number names a chat'],
  [new RevisionsUsedUp('message'), 'validation_failed', 'message_number names a message'],
  [new Throttled(new Error('rate')), 'too_many_requests', 'this request was not applied'],
  [out, 'unavailable', 'A write may still have been accepted'],
];

test('every domain error has its problem, and only an unavailable dependency may have applied anything', () => {
  for (const [error, code, detail = ''] of domainErrors) {
    const problem = made.problemOf(error);
    expect(problem.code, error.message).toBe(code);
    expect(problem.message).toContain(detail);
    expect(error.appliedNothing).toBe(problem.status < 500);
  }
});

test('a problem that passes by itself says when to retry', () => {
  for (const problem of [made.messagePending(3), ...domainErrors.map(([error]) => made.problemOf(error))]) {
    const passes = [429, 503].includes(problem.status) || /pending|in_flight/.test(problem.code);
    expect(problem.headers['Retry-After'], problem.code).toEqual(
      passes ? expect.stringMatching(/^[1-9]\d*$/) : undefined,
    );
    if (passes) expect(problem.message).toContain(`Retry after ${problem.headers['Retry-After']} s.`);
  }
});

test('the cause of an outage is kept for the log and for operators, and clients never see it', () => {
  const problem = made.problemOf(out);
  expect(problem.cause).toBe(out.cause);
  expect(out.message).toContain('/secret/path');
  expect(JSON.stringify(problem.toJSON('r'))).not.toContain('secret');
});
