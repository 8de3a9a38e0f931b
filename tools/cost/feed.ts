import type { FeedSize } from '../../infra/sizes.ts';

/** What a queue's event source does with what arrives, when the worker keeps up. */
export interface Fed {
  /** Queue messages in a batch, on average. */
  perInvocation: number;
  invocationsPerSecond: number;
  receivesPerSecond: number;
  deletesPerSecond: number;
}

/** SQS gives and deletes at most so many messages a call. */
export const perCall = 10;
/** A Lambda event is at most so large, in bytes. */
export const eventBytes = 6 * 1024 * 1024;

/**
 * How full the batches are, by AWS's description: each of the `pollers` takes its share of the messages, and begins a
 * batch with the first; it hands it over when the window is over or the batch is full (of messages, or 6 MB of them). A
 * call answers as soon as there is one message, so it gives more than one only when more arrive within its round trip.
 *
 * @param arrivals queue messages a second, and the bytes of each
 * @param options.roundTripMs of a call that finds messages
 */
export function fed(
  arrivals: { perSecond: number; bytes: number },
  { batchSize, window }: Pick<FeedSize, 'batchSize' | 'window'>,
  { pollers, roundTripMs }: { pollers: number; roundTripMs: number },
): Fed {
  const each = arrivals.perSecond / pollers;
  const perReceive = Math.min(perCall, Math.max(1, (each * roundTripMs) / 1_000));
  const gathered = perReceive + each * window.toSeconds();
  const most = Math.max(1, Math.min(batchSize, Math.floor(eventBytes / arrivals.bytes)));
  // More than this can't be asked for one call after another.
  const fetched = perReceive + (window.toMilliseconds() / roundTripMs) * perCall;
  const perInvocation = Math.min(gathered, most, fetched);
  const invocationsPerSecond = arrivals.perSecond / perInvocation;
  return {
    perInvocation,
    invocationsPerSecond,
    receivesPerSecond: arrivals.perSecond / perReceive,
    deletesPerSecond: invocationsPerSecond * Math.ceil(perInvocation / perCall),
  };
}
