/** Our locks are held for milliseconds, so who waits this long gives up; also for a table that a migration changes. */
const lockWaitSeconds = 10;

/**
 * What a session must be, whatever the server's defaults are. A proxy in front of the server begins its own connections
 * with the same, so that sessions can share them.
 */
export const sessionStatements = [
  `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];
