import { purgeDeleted } from '../../lib/purge/purge.ts';
import { log, logEvents } from '../runtime/observe/log.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { WorkerServices } from '../runtime/services.ts';

/** Time that is reserved for ending the current step before the function's time limit, in milliseconds. */
const reserveMs = 5_000;

/** Runs regularly: removes the content of deleted chats and applications, as much as the time limit allows. */
export const purgeSchedule = scheduled(
  async (services: Pick<WorkerServices, 'store' | 'searchIndex' | 'ledger'>, context) => {
    const removed = await purgeDeleted(services, Date.now(), () => context.getRemainingTimeInMillis() > reserveMs);
    if (removed > 0) log.info(logEvents.purged, { removed });
  },
);
