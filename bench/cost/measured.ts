import type { Result } from '../results.ts';
import { median } from '../statistics.ts';

/** A number that the arithmetic starts from: one of a figure's, or what stands here until that is measured. */
interface Input {
  value: number;
  /** Where the value comes from. */
  from: string;
  /** The measurement in results.json that is taken instead where there is one. */
  figure?: { name: string; what: string; unit: string };
}

const cpuOf = (what: string) => ({ figure: { name: 'function-cpu', what, unit: 'ms' } });
const canned =
  'process CPU time of an invocation of the bundle, warm, with canned answers of DynamoDB and SQS (2-core Xeon, Node.js 24)';

/** Every input, in one place. Times are in milliseconds of one whole processor, or of waiting; sizes in bytes. */
const table = {
  createCpuMs: { value: 1.16, from: canned, ...cpuOf('createMessage') },
  create100CpuMs: { value: 2.15, from: canned, ...cpuOf('createMessages, 100 messages') },
  create1000CpuMs: { value: 10.6, from: canned, ...cpuOf('createMessages, 1,000 messages') },

  storeBatchCpuMs: { value: 1.5, from: 'assumed: as a create, one SQS call and five statements' },
  storeMessageCpuMs: {
    value: 0.0065,
    from: "0.002 ms to parse and to name it, measured with a store that does nothing; the rest assumed, for mysql2's text of the statement",
    figure: { name: 'store-worker', what: 'CPU time a message', unit: 'ms' },
  },
  storeMessageWaitMs: {
    value: 0.012,
    from: 'MariaDB, 12 ms for 1,000 rows in one INSERT (lib/store/mysql-merge.ts)',
    figure: { name: 'store-worker', what: 'time a message', unit: 'ms' },
  },
  searchBatchCpuMs: { value: 1.5, from: 'assumed: as the store worker' },
  searchMessageCpuMs: {
    value: 0.005,
    from: "0.003 ms to fold it and to write its lines, measured with an index that does nothing; the rest assumed, for the clients' parsing",
    figure: { name: 'search-worker', what: 'CPU time a message', unit: 'ms' },
  },
  searchMessageWaitMs: {
    value: 0.1,
    from: 'assumed: 10,000 documents/s, the order of one small node with trigrams',
    figure: { name: 'search-worker', what: 'time a message', unit: 'ms' },
  },

  runtimeMs: { value: 1, from: "assumed: Lambda's own part of a billed duration" },
  tableCallMs: { value: 5, from: 'assumed: DynamoDB says single-digit milliseconds' },
  queueCallMs: { value: 10, from: 'assumed: AWS says of SQS tens of milliseconds, low ones' },
  sqlCallMs: { value: 1, from: 'assumed: one round trip within a region, across its zones half of the time' },
  searchCallMs: { value: 5, from: 'assumed: a round trip, and the least that a bulk takes' },

  pollers: {
    value: 5,
    from: 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (fewer only where no most concurrency is set)',
  },
  idlePollSeconds: { value: 20, from: "SQS's longest poll, which Lambda's pollers are known to use" },

  chatItemBytes: {
    value: 134,
    from: "a chat with a name of 30 letters, by DynamoDB's rule (lib/ledger/dynamodb-items.ts)",
  },
  answerHeaderBytes: { value: 600, from: "the function's own 240 to 310, and about as much of API Gateway's" },
  logBytes: {
    value: 353,
    from: 'the START, END and REPORT lines of an invocation, 275, and 26 for each event; the functions log nothing that went well',
  },
  rowBytes: {
    value: 270,
    from: 'a row of messages with 80 letters, 160, and its key in the second index, 30, in pages filled to 70 %',
  },
  documentBytes: {
    value: 1_000,
    from: "assumed: the embedded engine's row and index take 0.8 kB (40,000 messages of 80 characters in English words), and this index keeps the text too",
  },
  scheduledMs: { value: 20, from: 'assumed: a scheduled run that finds nothing to do: one or two calls' },
} satisfies Record<string, Input>;

export type Inputs = Record<keyof typeof table, number>;

/**
 * The inputs, from the figures that are measured and from the table where they are not.
 *
 * @returns also the names of those that should come from a figure and do not yet
 * @throws Error when a figure is there and lacks the measurement: then one of them was renamed
 */
export function inputsFrom(results: Record<string, Result>): { inputs: Inputs; unmeasured: string[] } {
  const unmeasured: string[] = [];
  const inputs = Object.fromEntries(
    Object.entries<Input>(table).map(([name, { value, figure }]) => {
      const measurements = figure && results[figure.name]?.measurements;
      if (figure && !measurements) unmeasured.push(name);
      if (!figure || !measurements) return [name, value];
      const found = measurements.find(({ what, unit }) => what === figure.what && unit === figure.unit);
      if (!found)
        throw new Error(`bench/cost/measured.ts: figure ${figure.name} has no "${figure.what}" in ${figure.unit}`);
      return [name, median(found.values)];
    }),
  ) as Inputs;
  return { inputs, unmeasured };
}
