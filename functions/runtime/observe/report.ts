import { limits } from '../../../lib/limits.ts';
import { type events, log } from './log.ts';
import type { Measured } from './metrics.ts';

/**
 * Tells what an invocation did, once it is done: a message of the catalogue, the metrics, and for which requests. It is a
 * service, because a host decides what becomes of it: on AWS a line that CloudWatch makes metrics of.
 */
export type Report = (
  message: (typeof events)[keyof typeof events],
  measured: Measured,
  requestIds: readonly string[],
) => void;

/** The report of a host that keeps no metrics: a line of the log, for who asks for them all. */
export const logged: Report = (message, measured, requestIds) => {
  if (log.getLevelName() !== 'DEBUG') return;
  for (const line of linesOf(measured, requestIds)) log.debug(message, line);
};

/**
 * The members of a report's line; of several where it names very many requests, so that none is left out and no line is too
 * long to be kept. The ids are one text: CloudWatch would take each member of a list for a field, and knows but 200.
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
