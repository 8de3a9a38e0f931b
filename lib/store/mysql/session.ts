/** Our locks are held for milliseconds, so who waits this long gives up; also for a table that a migration changes. */
const lockWaitSeconds = 10;

const settings = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`;

/** What a session must be, whatever the server's defaults are. */
export const sessionStatements = [settings, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'];

/**
 * The same for RDS Proxy, which begins its own connections so that sessions can share them: one statement, for AWS says
 * how to set several variables in one, and no longer how to give several
 * (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html). The variable has this
 * name in MySQL 8, and another in MariaDB.
 */
export const proxyInitQuery = `${settings}, transaction_isolation = 'READ-COMMITTED'`;
