import { rollUp } from '../../lib/rollup/rollup.ts';
import { events, log } from '../runtime/log.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { WorkerServices } from '../runtime/services.ts';

/** Every minute: brings the counts of changed chats and applications to the truth. */
export const rollUpSchedule = scheduled(async ({ store, ledger }: Pick<WorkerServices, 'store' | 'ledger'>) => {
  const visited = await rollUp(store, ledger);
  log.debug(events.rolledUp, { visited });
});
