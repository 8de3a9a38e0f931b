/**
 * Returns a clock for due times and expiries in a file that one process at a time uses. The clock continues from the
 * latest time in the file and advances with the monotonic clock of this process. So a system clock that is set back or
 * forward neither delays nor expires anything, and what was due before a restart is due after it. The clock stands
 * still while no process runs.
 *
 * It never goes back, even if the monotonic clock does, as happened in virtual machines that were moved
 * (https://doc.rust-lang.org/std/time/struct.Instant.html#monotonicity).
 *
 * @param latest the latest time in the file, in whole milliseconds; 0 if the file has none
 * @param elapsed the monotonic clock, in milliseconds since any moment
 * @returns whole milliseconds, comparable only with the times in this file
 */
export function steadyClock(latest: number, elapsed: () => number = () => performance.now()): () => number {
  let now = latest;
  let read = elapsed();
  return () => {
    const last = read;
    read = elapsed();
    if (read > last) now += read - last;
    return Math.floor(now);
  };
}
