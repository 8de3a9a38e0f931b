import { logEvents } from '../runtime/observe/log.ts';
import { logged } from '../runtime/observe/report.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { SweepServices } from '../runtime/services.ts';

/** Time that is reserved for ending the current step before the function's time limit, in milliseconds. */
const reserveMs = 10_000;

/** Runs every minute, on AWS only: sends the accepted writes that were parked during an outage of the store queue. */
export const sweepSchedule = scheduled(async ({ parkedWrites, report = logged }: SweepServices, context) => {
  const records = await parkedWrites.sweep(() => context.getRemainingTimeInMillis() > reserveMs);
  report(logEvents.swept, { swept: records }, []);
});
