import type { DeliverySize } from '../../infra/sizes.ts';

/** The calls that a queue's event source makes for the arriving messages, while the worker keeps up. */
export interface BatchRates {
  /** Queue messages in a batch, on average. */
  perInvocation: number;
  invocationsPerSecond: number;
  receivesPerSecond: number;
  deletesPerSecond: number;
}

/** Maximum number of messages that SQS returns or deletes per call. */
export const perCall = 10;
/** The largest Lambda event, in bytes. */
export const eventBytes = 6 * 1024 * 1024;

/**
 * Estimates how full the batches are, according to AWS's description: each of the `pollers` takes its share of the
 * messages and starts a batch with the first one. It invokes the function when the window ends or the batch is full (by
 * number or by 6 MB). A call returns as soon as there is one message, so it returns several only when they arrive
 * within its round trip.
 *
 * @param arrivals queue messages per second, and the bytes of each
 * @param options.roundTripMs the time of a call that returns messages, in milliseconds
 */
export function batchRates(
  arrivals: { perSecond: number; bytes: number },
  { batchSize, window }: Pick<DeliverySize, 'batchSize' | 'window'>,
  { pollers, roundTripMs }: { pollers: number; roundTripMs: number },
): BatchRates {
  const each = arrivals.perSecond / pollers;
  const perReceive = Math.min(perCall, Math.max(1, (each * roundTripMs) / 1_000));
  const gathered = perReceive + each * window.toSeconds();
  const most = Math.max(1, Math.min(batchSize, Math.floor(eventBytes / arrivals.bytes)));
  // Consecutive calls within the window cannot return more than this.
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
