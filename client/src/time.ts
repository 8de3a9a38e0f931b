/** The longest delay of a timer, in milliseconds. Browsers and Node.js fire a timer with a longer delay at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls `work` after this many milliseconds, or after the longest delay of a timer. */
export const after = (ms: number, work: () => void) => setTimeout(work, Math.min(ms, longestTimerMs));

/** Resolves after this many milliseconds. Rejects with the signal's reason when it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const abort = end(() => reject(signal?.reason));
    const timer = after(ms, end(resolve));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
}

/** Resolves as the promise does. Rejects with the signal's reason when it aborts before that. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}

/** Resolves as the promise does, or with undefined when it is still pending after this many milliseconds. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = after(ms, () => resolve(undefined));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Runs the work with a signal that aborts when the given one does, and after this many milliseconds. `AbortSignal.any`
 * would keep a listener on a long-lived signal for each request, in browsers that do not collect it.
 */
export async function limited<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  const timer = after(ms, () => controller.abort(new DOMException(`No response within ${ms} ms`, 'TimeoutError')));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Returns a random time from half of `ms` to `ms`, so that clients that failed together do not retry together. */
export const jittered = (ms: number): number => ms * (0.5 + Math.random() / 2);
