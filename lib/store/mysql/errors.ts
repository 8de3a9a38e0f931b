// Names of the server's errors: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html

/** The server rolled back one of two conflicting transactions, which is normal. The transaction may be retried. */
const deadlocks = new Set(['ER_LOCK_DEADLOCK', 'ER_CHECKREAD']);

/** A value does not fit its column. A retry would fail in the same way. */
const dataErrors = new Set([
  'ER_DATA_TOO_LONG',
  'ER_WARN_DATA_OUT_OF_RANGE',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_TRUNCATED_WRONG_VALUE',
  'WARN_DATA_TRUNCATED',
  'ER_BAD_NULL_ERROR',
  'ER_INVALID_CHARACTER_STRING',
  // A token with a character that is not ASCII cannot be compared with the token's ASCII column.
  'ER_CANT_AGGREGATE_2COLLATIONS',
  'ER_CANT_AGGREGATE_3COLLATIONS',
  'ER_CANT_AGGREGATE_NCOLLATIONS',
]);

/** The server was demoted to a replica. A new connection reaches its successor. */
const readOnly = ['ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE', 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION'];

/** The server, our account or our tables are not ready. */
const outages = new Set([
  ...readOnly,
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_NO_DB_ERROR',
  'ER_NO_SUCH_TABLE',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
  'ER_OUTOFMEMORY',
  'ER_OUT_OF_RESOURCES',
]);

/** Returns the code of an error of the server or the client; '' for any other error. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

export const isDeadlock = (error: unknown): boolean => deadlocks.has(codeOf(error));

export const isDataError = (error: unknown): boolean => dataErrors.has(codeOf(error));

export const isAccessDenied = (error: unknown): boolean => codeOf(error) === 'ER_ACCESS_DENIED_ERROR';

/**
 * Returns whether the cause is the server or the network, so that a retry may succeed. mysql2 marks the error of a lost
 * connection as fatal.
 */
export const isMysqlOutage = (error: unknown): boolean =>
  outages.has(codeOf(error)) || (error instanceof Error && 'fatal' in error && error.fatal === true);
