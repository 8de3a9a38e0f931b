import { rollUp } from '../../lib/rollup/rollup.ts';
import { log, logEvents } from '../runtime/observe/log.ts';
import { logged } from '../runtime/observe/report.ts';
import { scheduled } from '../runtime/schedule.ts';
import type { WorkerServices } from '../runtime/services.ts';

type RollUpServices = Pick<WorkerServices, 'store' | 'report'> & { ledger: Pick<WorkerServices['ledger'], 'counters'> };

/** Runs regularly, by default every minute: updates the counts of changed chats and applications. */
export const rollUpSchedule = scheduled(async ({ store, ledger, report = logged }: RollUpServices) => {
  const visited = await rollUp(store, ledger, ({ marks, error }) =>
    log.error(logEvents.notCounted, { marks, ...(error instanceof Error && { error }) }),
  );
  report(logEvents.rolledUp, { rolled_up: visited }, []);
});
