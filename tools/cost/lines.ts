import type { Inputs } from './measured.ts';
import type { PriceName } from './prices.ts';

/** The part of the work that is billed: answering the client, or everything after the answer. */
export type Part = 'answering' | 'queues and workers';

/** A line of the bill. */
export interface Line {
  what: string;
  part: Part;
  price: PriceName;
  /** The billed units, a second or in a month of 730 hours (see quantities.ts). */
  quantity: number;
}

export interface Scenario {
  /** Messages created a second in all chats together. */
  perSecond: number;
  /** Messages in each request. */
  batch: number;
  architecture: 'Arm' | 'X86';
  /** The memory of the function that creates messages. */
  memoryMb: number;
  /** How long the batches of both queues wait to be filled. */
  windowSeconds: number;
  /** Whether requests have an Idempotency-Key. */
  keys: boolean;
  /** The number of chats that get the messages. */
  chats: number;
}

/** The memory that buys one whole processor. */
const wholeProcessorMb = 1_769;
/** The bytes that SQS bills as one request. */
const queueChunk = 65_536;

/**
 * Returns the milliseconds that Lambda bills for an invocation. The waiting time does not depend on the memory. The
 * computing time is divided by the share of a processor that the memory buys, at most one because Node.js computes on
 * one.
 */
export const billedMs = (cpuMs: number, waitMs: number, memoryMb: number): number =>
  Math.ceil(cpuMs / Math.min(1, memoryMb / wholeProcessorMb) + waitMs);

/** Returns the number of requests that SQS bills for a call with this number of bytes. */
export const queueRequests = (bytes: number): number => Math.max(1, Math.ceil(bytes / queueChunk));

/** Returns the bill for the invocations of a function. `requests` is the number of request ids in their log lines. */
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
