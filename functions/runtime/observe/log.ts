import { Logger } from '@aws-lambda-powertools/logger';
import { loggableError } from './loggable-error.ts';

/**
 * Logs each event as one line of JSON. Anything that identifies or belongs to a client (tokens, names, bodies, keys) is
 * never logged.
 */
export const log = new Logger({
  serviceName: 'chat-system',
  jsonReplacerFn: (_key, value) => (value instanceof Error ? loggableError(value) : value),
});

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const setLogLevel = (level: LogLevel): void =>
  log.setLogLevel(level.toUpperCase() as Parameters<typeof log.setLogLevel>[0]);

/** All messages that are logged, in one place, so that a search for one finds the code that logs it. */
export const logEvents = {
  responded: 'a response was sent',
  firstRequest: 'the first request arrived',
  traffic: 'traffic of the last minute',
  accepted: 'a write was accepted',
  stored: 'a batch was stored',
  indexed: 'a batch was indexed',
  published: 'a batch was published to the feed',
  notPublished: 'a batch was not published completely and the rest will be retried',
  followerRefused: 'a follower of the feed was refused',
  failed: 'a request failed with an unexpected error',
  unavailable: 'a dependency is unavailable',
  movedToDeadLetters: 'a record was moved to the dead letters',
  notMovedToDeadLetters: 'a record could not be moved to the dead letters and will be retried',
  unknownRecord: 'a record of a newer version will be retried',
  batchFailed: 'a batch failed and will be retried',
  queueFailed: 'a call to a queue failed and will be retried',
  rolledUp: 'counts were updated',
  notCounted: 'counts were skipped; script/ops reconcile names each counter that is out of bounds',
  purged: 'deleted data was purged',
  swept: 'parked writes were sent',
  scheduleFailed: 'a scheduled run failed and will be retried',
  connectionRefused: 'a connection was closed before its request was complete',
  workerDied: 'the worker thread died',
  readTooSlow: 'a read timed out and its process was replaced',
  readRefused: 'a read got 503 because it could not be served in time',
  feedFailed: 'the feed could not read what was changed and will retry',
  readerDied: 'a reader process died and was replaced',
} as const;
