import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files whose tests mostly wait for servers or for schedules that run by the minute. */
const waiting = ['chaos.test.ts', 'counts.test.ts', 'deletes.test.ts', 'flow.test.ts'];

/** Starts the waiting files first, so that they do not run alone at the end. */
export class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification) => waiting.some((name) => moduleId.endsWith(`/${name}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}
