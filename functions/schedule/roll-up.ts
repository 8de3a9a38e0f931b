import { rollUp } from '../../lib/rollup/rollup.ts';
import { events } from '../runtime/log.ts';
import { logged } from '../runtime/report.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { WorkerServices } from '../runtime/services.ts';

/** Every minute: brings the counts of changed chats and applications to the truth. */
export const rollUpSchedule = scheduled(
  async ({ store, ledger, report = logged }: Pick<WorkerServices, 'store' | 'ledger' | 'report'>) => {
    const visited = await rollUp(store, ledger);
    report(events.rolledUp, { rolled_up: visited }, []);
  },
);
