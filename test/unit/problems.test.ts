import { expect, test } from 'vitest';
import { ProblemDocument } from '../../lib/api/answers.ts';
import * as made from '../../lib/api/problems.ts';

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

test('what passes by itself says when to come back', () => {
  expect(made.messagePending(3).headers['Retry-After']).toMatch(/^[1-9]\d*$/);
  expect(made.unavailable(new Error('disk full')).headers['Retry-After']).toMatch(/^[1-9]\d*$/);
});

test('the cause of an outage is kept for the log, and not told', () => {
  const cause = new Error('SQLITE_FULL: /secret/path');
  const problem = made.unavailable(cause);
  expect(problem.cause).toBe(cause);
  expect(JSON.stringify(problem.toJSON('r'))).not.toContain('secret');
});
