import type { Inputs } from './inputs.ts';
import type { PriceName } from './prices.ts';

/** The part of the work that a line is for: responding to the client, storing and indexing, or sending to followers. */
export type Part = 'requests' | 'queues and workers' | 'feed';

/** A line of the bill. */
export interface Line {
  what: string;
  part: Part;
  price: PriceName;
  /** The billed units, per second or per month of 730 hours (see quantities.ts). */
  quantity: number;
}

export interface Scenario {
  /** Messages created per second in all chats together. */
  perSecond: number;
  /** The number of messages in each request. */
  batch: number;
  architecture: 'Arm' | 'X86';
  /** The memory of the function that creates messages. */
  memoryMb: number;
  /** The batching window of both queues, in seconds. */
  windowSeconds: number;
  /** Whether requests have an Idempotency-Key. */
  keys: boolean;
  /** Whether requests have an access token. */
  accessTokens: boolean;
  /** The number of chats that get the messages. Each counts as an application of its own: the most expensive case. */
  chats: number;
  /** Clients that follow each chat; undefined where the feed is off. */
  followers?: number;
}

/** The memory for which Lambda provides one whole processor, in MB. */
const wholeProcessorMb = 1_769;
/** The bytes that SQS bills as one request. */
const queueChunk = 65_536;

/**
 * Returns the milliseconds that Lambda bills for an invocation. The waiting time does not depend on the memory. The CPU
 * time is divided by the share of a processor that comes with the memory, at most one because Node.js runs on one.
 */
export const billedMs = (cpuMs: number, waitMs: number, memoryMb: number): number =>
  Math.ceil(cpuMs / Math.min(1, memoryMb / wholeProcessorMb) + waitMs);

/** Returns the number of requests that SQS bills for a call with this number of bytes. */
export const queueRequests = (bytes: number): number => Math.max(1, Math.ceil(bytes / queueChunk));

/** Returns the bill for the invocations of a function. `requests` is the number of request ids in their log lines. */
export const functionLines = (
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
  { what: 'traces', part, price: 'traceRecorded', quantity: tracesOf(invocations) },
];

/**
 * Returns how many of a function's invocations X-Ray records: the first of each second, and 5 % of the others.
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html)
 */
export const tracesOf = (invocationsPerSecond: number): number =>
  Math.min(invocationsPerSecond, 1) + 0.05 * Math.max(0, invocationsPerSecond - 1);

export const gbSeconds = ({ architecture }: Scenario, part: Part, ms: number, memoryMb: number): Line => ({
  what: 'GB-seconds',
  part,
  price: `functionGbSecond${architecture}`,
  quantity: (ms / 1_000) * (memoryMb / 1_024),
});
