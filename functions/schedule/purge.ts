import { purgeDeleted } from '../../lib/purge/purge.ts';
import { events, log } from '../runtime/observe/log.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { WorkerServices } from '../runtime/services.ts';

/** Time left for the step under way when the function has to end. */
const reserveMs = 5_000;

/** Regularly: removes what lies below deleted chats and applications, as much as the time allows. */
export const purgeSchedule = scheduled(
  async (services: Pick<WorkerServices, 'store' | 'searchIndex' | 'ledger'>, context) => {
    const removed = await purgeDeleted(services, Date.now(), () => context.getRemainingTimeInMillis() > reserveMs);
    if (removed > 0) log.info(events.purged, { removed });
  },
);
