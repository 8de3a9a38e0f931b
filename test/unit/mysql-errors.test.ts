import { expect, test } from 'vitest';
import { isDataError, isDeadlock, isMysqlOutage } from '../../lib/store/mysql/errors.ts';

const error = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

// Errors that the tests cannot provoke on the real server, because other tests use it. The others are tested there.
test('a server that became a replica, is full or shuts down is an outage', () => {
  for (const code of ['ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE', 'ER_CON_COUNT_ERROR', 'ER_SERVER_SHUTDOWN'])
    expect(isMysqlOutage(error(code))).toBe(true);
});

test('a lost connection is an outage, and an invalid statement is not', () => {
  expect(isMysqlOutage(error('PROTOCOL_CONNECTION_LOST', { fatal: true }))).toBe(true);
  for (const mistake of [error('ER_PARSE_ERROR'), error('ER_BAD_FIELD_ERROR'), new TypeError('ours'), undefined])
    expect([isMysqlOutage(mistake), isDataError(mistake), isDeadlock(mistake)]).toEqual([false, false, false]);
});
