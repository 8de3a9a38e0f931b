import { expect, test } from 'vitest';
import { isDataError, isDeadlock, isMysqlOutage } from '../../lib/store/mysql/errors.ts';

const error = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });

// What a server of the tests can't be made to answer, for others use it too; the rest is tried on a real one.
test('a server that became a replica, is full or shuts down is out', () => {
  for (const code of ['ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE', 'ER_CON_COUNT_ERROR', 'ER_SERVER_SHUTDOWN'])
    expect(isMysqlOutage(error(code))).toBe(true);
});

test('a lost connection is an outage, and a mistake of ours is none', () => {
  expect(isMysqlOutage(error('PROTOCOL_CONNECTION_LOST', { fatal: true }))).toBe(true);
  for (const mistake of [error('ER_PARSE_ERROR'), error('ER_BAD_FIELD_ERROR'), new TypeError('ours'), undefined])
    expect([isMysqlOutage(mistake), isDataError(mistake), isDeadlock(mistake)]).toEqual([false, false, false]);
});
