/** Returns the result of some work, and how long it took in milliseconds. */
export async function timed<Result>(work: Promise<Result>): Promise<{ result: Result; ms: number }> {
  const begun = performance.now();
  return { result: await work, ms: performance.now() - begun };
}
