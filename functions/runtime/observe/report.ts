import { limits } from '../../../lib/limits.ts';
import { log, type logEvents } from './log.ts';
import type { Measured } from './metrics.ts';

/**
 * Reports what an invocation did, at its end. A report has a log message, metrics and the ids of the requests. It is a
 * service because the host decides how to publish a report. On AWS it is a log line, from which CloudWatch extracts the
 * metrics.
 */
export type Report = (
  message: (typeof logEvents)[keyof typeof logEvents],
  measured: Measured,
  requestIds: readonly string[],
) => void;

/** The report of a host without metrics: a log line at level debug. */
export const logged: Report = (message, measured, requestIds) => {
  if (log.getLevelName() !== 'DEBUG') return;
  for (const line of linesOf(measured, requestIds)) log.debug(message, line);
};

/**
 * Returns the members of each log line of a report. A report with very many requests takes several lines, so that it
 * names every request and no line exceeds the size limit of CloudWatch. The ids are one string, because CloudWatch
 * would index each item of a list as a field, and it indexes at most 200 fields.
 */
export function linesOf(measured: Measured, requestIds: readonly string[]): (Measured & { request_ids?: string })[] {
  const lines: (Measured & { request_ids?: string })[] = [{ ...measured }];
  for (let i = 0; i < requestIds.length; i += limits.requestIdsPerLine) {
    const request_ids = requestIds.slice(i, i + limits.requestIdsPerLine).join(' ');
    if (i === 0) Object.assign(lines[0] as object, { request_ids });
    else lines.push({ request_ids });
  }
  return lines;
}
