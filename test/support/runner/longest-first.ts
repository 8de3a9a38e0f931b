import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute or more, because they wait for schedules or do much. */
const long = [
  'aws/faults/ledger-calls.test.ts',
  'e2e/api/counts.test.ts',
  'simulation/simulation.test.ts',
  'e2e/deletes.test.ts',
  'aws/chaos.test.ts',
  'aws/flow.test.ts',
  'aws/logs.test.ts',
  'e2e/api/deletes.test.ts',
  'e2e/api/isolation.test.ts',
  'e2e/api/paging.test.ts',
  'e2e/api/conditional.test.ts',
  'e2e/api/applications.test.ts',
  'aws/contract/reconcile.test.ts',
  'aws/contract/sqs.test.ts',
  'e2e/bench.test.ts',
  'e2e/start.test.ts',
  'e2e/feed-kills.test.ts',
  'e2e/durability.test.ts',
  'fuzz/fuzz.test.ts',
];

/** Starts the long files first, so that they do not run alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.endsWith(`/${name}`));
      return at < 0 ? long.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
