import { median } from '../statistics/quantiles.ts';

/** What this model reads of a measured figure of script/bench. */
interface MeasuredFigure {
  measurements: { what: string; unit: string; values: number[] }[];
}

/** A number that the arithmetic starts from: the result of a figure, or an estimate until that figure is measured. */
interface Input {
  value: number;
  /** The source of the value. */
  from: string;
  /** The measurement that replaces the value once it exists. */
  figure?: { name: string; what: string; unit: string; read?: (value: number) => number };
}

/** The figures of the workers are rates of batches of 1,000, so the fixed time of a batch hardly counts. */
const timeOf = (name: string, what: string) => ({
  figure: { name, what, unit: 'messages/s', read: (rate: number) => 1_000 / rate },
});
const canned =
  'process CPU time of an invocation of the bundle, warm, with canned answers of DynamoDB and SQS (2-core Xeon, Node.js 24)';

/** Every input. Times are milliseconds of one whole processor or of waiting; sizes are bytes. */
const table = {
  createCpuMs: {
    value: 1.16,
    from: canned,
    figure: { name: 'function-cpu', what: 'processor time of a create', unit: 'ms' },
  },
  createdMessageCpuMs: { value: 0.0095, from: `each further message of a batch, of 100 and of 1,000; ${canned}` },

  storeBatchMs: { value: 1.5, from: 'assumed: the processor time of a create, for one SQS call and six statements' },
  storeMessageMs: {
    value: 0.0185,
    from: '0.012 ms in MariaDB for one of 1,000 rows of an INSERT (lib/store/mysql/merge.ts), 0.002 ms to parse and name it, measured; the rest assumed, for the text of the statement',
    ...timeOf('store-worker', 'the worker, for 1,000 records of one message'),
  },
  searchBatchMs: { value: 1.5, from: 'assumed: as the store worker' },
  searchMessageMs: {
    value: 0.105,
    from: 'assumed: 10,000 documents/s, the order of one small node with trigrams; 0.003 ms of it to fold and write one, measured',
    ...timeOf('search-worker', 'the search worker'),
  },

  countedChatMs: {
    value: 0.035,
    from: 'MariaDB, a thousand at a time',
    figure: {
      name: 'roll-up-mysql',
      what: '1,000 changed chats of 1,000,000, evenly spread',
      unit: 'ms',
      read: (thousand: number) => thousand / 1_000,
    },
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
    from: "a chat with a name of 30 letters, by DynamoDB's rule (lib/ledger/dynamodb/items.ts)",
  },
  answerHeaderBytes: { value: 600, from: "the function's own 240 to 310, and about as much of API Gateway's" },
  logBytes: {
    value: 353,
    from: 'the START, END and REPORT lines of an invocation, 275, and 26 for each event',
  },
  reportBytes: {
    value: 320,
    from: 'the line of metrics of an invocation that went well: 285 for a create, with the id of its request, and 26; the workers’ have some 100 more',
  },
  requestIdBytes: { value: 37, from: 'the id of a request and a space, in the line of a batch' },
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
 * Returns the inputs, from measured figures and, where a figure is not measured, from the table.
 *
 * @returns also the names of the inputs whose figure is not measured yet
 * @throws Error when a figure lacks its measurement, which means that one of them was renamed
 */
export function inputsFrom(figures: Record<string, MeasuredFigure>): { inputs: Inputs; unmeasured: string[] } {
  const unmeasured: string[] = [];
  const inputs = Object.fromEntries(
    Object.entries<Input>(table).map(([name, { value, figure }]) => {
      const measurements = figure && figures[figure.name]?.measurements;
      if (figure && !measurements) unmeasured.push(name);
      if (!figure || !measurements) return [name, value];
      const found = measurements.find(({ what, unit }) => what === figure.what && unit === figure.unit);
      if (!found)
        throw new Error(`tools/cost/measured.ts: figure ${figure.name} has no "${figure.what}" in ${figure.unit}`);
      const measured = median(found.values);
      return [name, figure.read?.(measured) ?? measured];
    }),
  ) as Inputs;
  return { inputs, unmeasured };
}
