import { events } from '../runtime/observe/log.ts';
import { logged } from '../runtime/observe/report.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { SweepServices } from '../runtime/services.ts';

/** Time left for the step under way when the function has to end. */
const reserveMs = 10_000;

/** Every minute, on AWS: sends the accepted writes that were parked while the store queue was out. */
export const sweepSchedule = scheduled(async ({ parkedWrites, report = logged }: SweepServices, context) => {
  const records = await parkedWrites.sweep(() => context.getRemainingTimeInMillis() > reserveMs);
  report(events.swept, { swept: records }, []);
});
