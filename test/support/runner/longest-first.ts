import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, because they wait for schedules or do much, in this order. */
const long = [
  'aws/faults/ledger-calls.test.ts',
  'e2e/api/search.test.ts',
  'e2e/bench.test.ts',
  'e2e/api/counts.test.ts',
  'simulation/simulation.test.ts',
  'e2e/api/isolation.test.ts',
  'e2e/deletes.test.ts',
  'aws/chaos.test.ts',
  'aws/flow.test.ts',
  'aws/ops.test.ts',
  'e2e/api/paging.test.ts',
  'aws/stack.test.ts',
  'e2e/start.test.ts',
  'e2e/console.test.ts',
  'e2e/api/conditional.test.ts',
  'e2e/durability.test.ts',
  'e2e/ops-archive.test.ts',
  'e2e/api/deletes.test.ts',
  'aws/restore.test.ts',
  'aws/contract/sqs.test.ts',
  'e2e/one-machine/single.test.ts',
  'e2e/hostile.test.ts',
  'e2e/feed-kills.test.ts',
  'e2e/client.test.ts',
  'e2e/one-machine/one-machine.test.ts',
  'e2e/floods.test.ts',
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
