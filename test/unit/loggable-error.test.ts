import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { errors } from '@opensearch-project/opensearch';
import { expect, test } from 'vitest';
import { loggableError } from '../../functions/runtime/observe/loggable-error.ts';

const secret = 'what a client said';
const logged = (error: Error) => JSON.stringify(loggableError(error));
const caught = (work: () => unknown): Error => {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It went well.');
};

test('an error is logged with its name, codes and source positions, without its message', () => {
  const error = Object.assign(new Error(secret), { code: 'ER_DATA_TOO_LONG', sqlState: '22001', sql: secret });
  expect(loggableError(error)).toMatchObject({ name: 'Error', code: 'ER_DATA_TOO_LONG', sql_state: '22001' });
  expect(loggableError(error).stack).toContainEqual(
    expect.stringMatching(/^at .*loggable-error\.test\.ts:\d+:\d+\)?$/),
  );
  expect(logged(error)).not.toContain(secret);
});

test.each<[what: string, error: Error]>([
  ['of a parser', caught(() => JSON.parse(secret))],
  ['of Node.js', caught(() => new URL(secret))],
  ['of Node.js about an argument', caught(() => Buffer.alloc(secret as never))],
  ['with an invalid code', Object.assign(new Error('x'), { code: secret })],
  ['with lines that look like source positions', new Error(`x\n    at ${secret} (y:1:1)`)],
  [
    'of AWS',
    new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', $metadata: {}, message: secret }),
  ],
  [
    'of OpenSearch',
    new errors.ResponseError({
      body: { error: { type: 'mapper_parsing_exception', reason: secret } },
      statusCode: 400,
      headers: {},
      warnings: null,
      meta: { request: { params: { body: secret } } },
    } as never),
  ],
  ['as a cause', new Error('x', { cause: new Error(secret) })],
  ['with a cause that is not an error', new Error('x', { cause: secret })],
  ['with several errors', new AggregateError([new Error(secret)], secret)],
])('an error %s is logged without its input', (_what, error) => {
  expect(logged(error)).not.toContain(secret);
});

test('error names and statuses of OpenSearch and AWS are logged', () => {
  const meta = { statusCode: 400, body: { error: { type: 'mapper_parsing_exception' } } };
  expect(loggableError(Object.assign(new Error('x'), { meta }))).toMatchObject({
    status: 400,
    type: 'mapper_parsing_exception',
  });
  const $metadata = { httpStatusCode: 503, requestId: 'an-id' };
  expect(loggableError(Object.assign(new Error('x'), { name: 'Slow', $metadata }))).toMatchObject({
    name: 'Slow',
    status: 503,
    aws_request_id: 'an-id',
  });
});

test('the messages of operating system errors and programming errors are logged', () => {
  expect(loggableError(caught(() => readFileSync('/nowhere')))).toMatchObject({
    code: 'ENOENT',
    message: expect.stringContaining('/nowhere'),
  });
  expect(loggableError(caught(() => (undefined as never as { x: { y: 1 } }).x.y))).toMatchObject({
    message: expect.stringContaining('undefined'),
  });
  expect(loggableError(new Error('x', { cause: new TypeError('y') }))).toMatchObject({ cause: { message: 'y' } });
});
