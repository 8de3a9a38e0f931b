/** Runs the work, and returns the time that it took in milliseconds. */
export async function msOf(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
