/**
 * Longest wait for a lock, on a row or on a table that a migration changes. Our own transactions hold locks for
 * milliseconds.
 */
const lockWaitSeconds = 10;

const settings = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`;

/** The statements that set up a session, whatever the server's defaults are. */
export const sessionStatements = [settings, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'];

/**
 * The same for RDS Proxy, which sets up its own connections so that sessions can share them. It is one statement,
 * because AWS documents how to set several variables in one statement, but no longer how to pass several statements
 * (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html). The variable
 * `transaction_isolation` has this name in MySQL 8, and another one in MariaDB.
 */
export const proxyInitQuery = `${settings}, transaction_isolation = 'READ-COMMITTED'`;
