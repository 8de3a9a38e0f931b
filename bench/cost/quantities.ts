import { Duration } from 'aws-cdk-lib';
import { feedSizes, functionSizes } from '../../infra/sizes.ts';
import { limits } from '../../lib/limits.ts';
import { fed } from './feed.ts';
import type { Inputs } from './measured.ts';
import type { PriceName } from './prices.ts';
import { changesSize, requestSizes } from './sizes.ts';

/** Whose bill it is: that of answering the client, or of what happens afterwards. */
export type Part = 'answering' | 'queues and workers';

/** Something of which AWS bills a quantity. */
export interface Line {
  what: string;
  part: Part;
  price: PriceName;
  /** In a month of 730 hours. */
  quantity: number;
}

export interface Scenario {
  /** Messages created, in the sum of all chats. */
  perSecond: number;
  /** Messages a request. */
  batch: 1 | 100 | 1_000;
  architecture: 'Arm' | 'X86';
  /** Of the function that creates. */
  memoryMb: number;
  /** How long the store queue's and the search queue's batches wait to be filled. */
  windowSeconds: number;
  /** Whether requests have an Idempotency-Key. */
  keys: boolean;
  /** Chats that the messages are spread over. */
  chats: number;
}

/** As it is deployed, with a load that no limit of a new account is near to. */
export const usual: Scenario = {
  perSecond: 100,
  batch: 1,
  architecture: 'Arm',
  memoryMb: functionSizes.write.memoryMb,
  windowSeconds: feedSizes.store.window.toSeconds(),
  keys: false,
  chats: 100,
};

export const hoursPerMonth = 730;
export const secondsPerMonth = hoursPerMonth * 3_600;
const wholeProcessorMb = 1_769;
const queueChunk = 65_536;
const writeUnitBytes = 1_024;

/**
 * What Lambda bills for one invocation, in milliseconds: waiting takes its time whatever the memory, computing the longer
 * the smaller the share of a processor that the memory buys. Node.js computes on one processor.
 */
export const billedMs = (cpuMs: number, waitMs: number, memoryMb: number): number =>
  Math.ceil(cpuMs / Math.min(1, memoryMb / wholeProcessorMb) + waitMs);

/** The requests that SQS bills for a call with so many bytes. */
export const queueRequests = (bytes: number): number => Math.max(1, Math.ceil(bytes / queueChunk));

/** What a month of creating messages takes, of everything that is billed by use. */
export function quantities(scenario: Scenario, inputs: Inputs): Line[] {
  return [...ofAnswering(scenario, inputs), ...ofWorking(scenario, inputs)].map((line) => ({
    ...line,
    quantity: line.quantity * secondsPerMonth,
  }));
}

/** By the second. */
function ofAnswering(scenario: Scenario, inputs: Inputs): Line[] {
  const { batch, keys, memoryMb } = scenario;
  const requests = scenario.perSecond / batch;
  const { records, answer } = requestSizes(batch);
  const cpuMs = { 1: inputs.createCpuMs, 100: inputs.create100CpuMs, 1000: inputs.create1000CpuMs }[batch];
  // A key is taken, its answer kept, and the claim beside the counter removed: three calls, one after another.
  const tableCalls = keys ? 4 : 1;
  const waitMs = inputs.runtimeMs + tableCalls * inputs.tableCallMs + inputs.queueCallMs;
  const part = 'answering';
  return [
    { what: 'API requests', part, price: 'apiRequest', quantity: requests },
    ...ofFunction(scenario, part, requests, billedMs(cpuMs, waitMs, memoryMb), memoryMb, inputs),
    {
      what: 'table writes',
      part,
      price: 'tableWriteUnit',
      quantity: requests * tableCalls * Math.ceil(inputs.chatItemBytes / writeUnitBytes),
    },
    {
      what: 'queue requests',
      part,
      price: 'queueRequest',
      quantity: requests * queueRequests(records.reduce((sum, bytes) => sum + bytes, 0)),
    },
    {
      what: 'bytes sent out',
      part,
      price: 'transferOutGb',
      quantity: (requests * (answer + inputs.answerHeaderBytes)) / 1e9,
    },
  ];
}

/** By the second. */
function ofWorking(scenario: Scenario, inputs: Inputs): Line[] {
  const { batch, perSecond, windowSeconds } = scenario;
  const window = Duration.seconds(windowSeconds);
  const source = { pollers: inputs.pollers, roundTripMs: inputs.queueCallMs };
  const { memoryMb } = functionSizes.worker;
  const part = 'queues and workers';

  const { records } = requestSizes(batch);
  const record = { perSecond: (perSecond / batch) * records.length, bytes: records[0] as number };
  const stored = fed(record, { ...feedSizes.store, window }, source);
  const messages = perSecond / stored.invocationsPerSecond;
  // On average: most batches of one request are that one, and a few are two.
  const transactions = Math.max(1, messages / limits.rowsPerTransaction);
  // Five statements and, before the first of them, a ping of the connection.
  const storeMs = billedMs(
    inputs.storeBatchCpuMs + messages * inputs.storeMessageCpuMs,
    inputs.runtimeMs + inputs.queueCallMs + 6 * transactions * inputs.sqlCallMs + messages * inputs.storeMessageWaitMs,
    memoryMb,
  );

  const change = {
    perSecond: stored.invocationsPerSecond * transactions,
    bytes: changesSize(messages / transactions),
  };
  const indexed = fed(change, { ...feedSizes.search, window }, source);
  const documents = perSecond / indexed.invocationsPerSecond;
  const searchCalls = Math.max(1, documents / limits.rowsPerTransaction);
  const searchMs = billedMs(
    inputs.searchBatchCpuMs + documents * inputs.searchMessageCpuMs,
    inputs.runtimeMs +
      searchCalls * (2 * inputs.sqlCallMs + inputs.searchCallMs) +
      documents * inputs.searchMessageWaitMs,
    memoryMb,
  );

  const calls = (arrivals: { perSecond: number; bytes: number }, taken: typeof stored) =>
    taken.receivesPerSecond * queueRequests((arrivals.perSecond / taken.receivesPerSecond) * arrivals.bytes) +
    taken.deletesPerSecond;
  const sent = stored.invocationsPerSecond * queueRequests(transactions * change.bytes);
  const queueCalls = calls(record, stored) + sent + calls(change, indexed);

  // A run visits each chat that changed: it is read from the ledger, and takes three statements.
  const changedChats = Math.min(scenario.chats / 60, perSecond / batch);
  const rollUp = functionSizes.rollUp.memoryMb;
  return [
    ...ofFunction(scenario, part, stored.invocationsPerSecond, storeMs, memoryMb, inputs),
    ...ofFunction(scenario, part, indexed.invocationsPerSecond, searchMs, memoryMb, inputs),
    { what: 'queue requests', part, price: 'queueRequest', quantity: queueCalls },
    { what: 'table reads', part, price: 'tableReadUnit', quantity: changedChats },
    gbSeconds(scenario, part, changedChats * 3 * inputs.sqlCallMs, rollUp),
  ];
}

const ofFunction = (
  scenario: Scenario,
  part: Part,
  invocations: number,
  ms: number,
  memoryMb: number,
  inputs: Inputs,
): Line[] => [
  { what: 'invocations', part, price: 'functionRequest', quantity: invocations },
  gbSeconds(scenario, part, invocations * ms, memoryMb),
  { what: 'logs', part, price: 'logGb', quantity: (invocations * inputs.logBytes) / 1e9 },
];

const gbSeconds = ({ architecture }: Scenario, part: Part, ms: number, memoryMb: number): Line => ({
  what: 'GB-seconds',
  part,
  price: `functionGbSecond${architecture}`,
  quantity: (ms / 1_000) * (memoryMb / 1_024),
});
