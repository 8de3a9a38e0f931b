import type { Inputs } from './measured.ts';
import type { PriceName } from './prices.ts';

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
  batch: number;
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

const wholeProcessorMb = 1_769;
const queueChunk = 65_536;

/**
 * What Lambda bills for one invocation, in milliseconds: waiting takes its time whatever the memory, computing the longer
 * the smaller the share of a processor that the memory buys. Node.js computes on one processor.
 */
export const billedMs = (cpuMs: number, waitMs: number, memoryMb: number): number =>
  Math.ceil(cpuMs / Math.min(1, memoryMb / wholeProcessorMb) + waitMs);

/** The requests that SQS bills for a call with so many bytes. */
export const queueRequests = (bytes: number): number => Math.max(1, Math.ceil(bytes / queueChunk));

/** What the invocations of a function take, which say in their logs what they did, for so many requests. */
export const ofFunction = (
  scenario: Scenario,
  part: Part,
  invocations: number,
  ms: number,
  memoryMb: number,
  inputs: Inputs,
  requests: number,
): Line[] => [
  { what: 'invocations', part, price: 'functionRequest', quantity: invocations },
  gbSeconds(scenario, part, invocations * ms, memoryMb),
  {
    what: 'logs',
    part,
    price: 'logGb',
    quantity: (invocations * (inputs.logBytes + inputs.reportBytes) + requests * inputs.requestIdBytes) / 1e9,
  },
];

export const gbSeconds = ({ architecture }: Scenario, part: Part, ms: number, memoryMb: number): Line => ({
  what: 'GB-seconds',
  part,
  price: `functionGbSecond${architecture}`,
  quantity: (ms / 1_000) * (memoryMb / 1_024),
});
