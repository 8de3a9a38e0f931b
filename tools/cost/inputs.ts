import { median } from '../statistics/quantiles.ts';

/** The part of a measured figure of script/bench that this model reads. */
interface MeasuredFigure {
  measurements: { what: string; unit: string; values: number[] }[];
}

/** An input of the model: the result of a figure, or an estimate until that figure is measured. */
interface Input {
  value: number;
  /** The source of the value. */
  from: string;
  /** The measurement that replaces the value once it exists. */
  figure?: { name: string; what: string; unit: string; read?: (value: number) => number };
}

/**
 * Returns how to read the time of one message, in milliseconds, from the figure of a worker. The figure is a rate of
 * batches of 1,000, so the fixed time of a batch hardly counts.
 */
const timeOf = (name: string, what: string) => ({
  figure: { name, what, unit: 'messages/s', read: (rate: number) => 1_000 / rate },
});
const canned =
  'process CPU time of an invocation of the bundle, warm, with canned responses of DynamoDB and SQS (2-core Xeon, Node.js 24)';

/** All inputs. Times are in milliseconds, of one whole processor or of waiting; sizes are in bytes. */
const table = {
  createCpuMs: {
    value: 1.16,
    from: canned,
    figure: { name: 'function-cpu', what: 'processor time of a create', unit: 'ms' },
  },
  createdMessageCpuMs: { value: 0.0095, from: `each further message in batches of 100 and 1,000; ${canned}` },

  storeBatchMs: { value: 1.5, from: 'assumed: the processor time of a create, for one SQS call and seven statements' },
  storeMessageMs: {
    value: 0.0185,
    from: 'measured: 0.012 ms in MariaDB for one of 1,000 rows of an INSERT (lib/store/mysql/merge.ts), 0.002 ms to parse it and to send its key to the search queue; assumed: the rest, for the text of the statement',
    ...timeOf('store-worker', 'the worker, for 1,000 records of one message'),
  },
  searchBatchMs: { value: 1.5, from: 'assumed: the same as for the store worker' },
  searchMessageMs: {
    value: 0.105,
    from: 'assumed: 10,000 documents/s, the order of magnitude of a small node with trigrams; measured: 0.003 ms of it to fold and serialize a document',
    ...timeOf('search-worker', 'the search worker'),
  },

  feedBatchMs: { value: 3, from: 'assumed: signing and sending a few requests of one to three events' },

  countedChatMs: {
    value: 0.035,
    from: 'measured in MariaDB, 1,000 chats at a time',
    figure: {
      name: 'roll-up-mysql',
      what: '1,000 changed chats of 1,000,000, evenly spread',
      unit: 'ms',
      read: (thousand: number) => thousand / 1_000,
    },
  },

  runtimeMs: { value: 1, from: "assumed: Lambda's own part of a billed duration" },
  tableCallMs: { value: 5, from: 'assumed: AWS documents single-digit milliseconds for DynamoDB' },
  queueCallMs: { value: 10, from: 'assumed: AWS documents low tens of milliseconds for SQS' },
  sqlCallMs: { value: 1, from: 'assumed: one round trip within a region, half of the time between zones' },
  publishCallMs: {
    value: 20,
    from: 'assumed: AWS documents no latency for publishing; MiniStack takes 2 ms, and a region has other services at 10 ms',
  },
  searchCallMs: { value: 5, from: 'assumed: a round trip and the fixed time of a bulk request' },

  pollers: {
    value: 5,
    from: 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (without a maximum concurrency there may be fewer)',
  },
  idlePollSeconds: { value: 20, from: 'the longest poll of SQS, which the pollers of Lambda are known to use' },

  chatItemBytes: {
    value: 134,
    from: "a chat with a name of 30 characters, by DynamoDB's rule (lib/ledger/dynamodb/items.ts)",
  },
  responseHeaderBytes: { value: 600, from: '240 to 310 of the function, and about as much of API Gateway' },
  logBytes: {
    value: 353,
    from: 'the START, END and REPORT lines of an invocation (275), and 26 for each of the three log events',
  },
  reportBytes: {
    value: 320,
    from: 'the metrics line of a successful invocation: 285 for a create, with its request id, and 26 for the log event; about 100 more for a worker',
  },
  accessLogBytes: {
    value: 350,
    from: "a line of the API's access log (infra/constructs/access-log.ts), and 26 for the log event",
  },
  zoneBytes: {
    value: 800,
    from: 'assumed for each message: its row to SQL (300) and back (270), and its document to the index (600), of which two thirds go to another zone',
  },
  requestIdBytes: { value: 37, from: 'a request id and a space, in the log line of a batch' },
  rowBytes: {
    value: 295,
    from: 'a row of a message with 80 characters (168) and its key in the second index (38), in pages filled to 70 %',
  },
  documentBytes: {
    value: 1_000,
    from: 'assumed: in the embedded engine, the row and its index entries take 0.8 kB (40,000 messages of 80 characters in English words), and this index also stores the text',
  },
  embeddedBytes: {
    value: 800,
    from: 'the row of a message in the embedded engine with its index entries: 0.8 kB (docs/one-machine.md)',
  },
  healthCheckMs: { value: 300, from: 'assumed: a TLS handshake and a request from a function with little memory' },
  scheduledMs: { value: 20, from: 'assumed: a scheduled run that finds nothing to do: one or two calls' },
} satisfies Record<string, Input>;

export type Inputs = Record<keyof typeof table, number>;

/**
 * Returns the inputs: measured figures or, when a figure is not measured, the values of the table.
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
        throw new Error(`tools/cost/inputs.ts: figure ${figure.name} has no "${figure.what}" in ${figure.unit}`);
      const measured = median(found.values);
      return [name, figure.read?.(measured) ?? measured];
    }),
  ) as Inputs;
  return { inputs, unmeasured };
}
