/** Runs `task(i)` for every i below `count`, `lanes` at a time, and returns the results in the order of i. */
export async function concurrently<Result>(
  count: number,
  lanes: number,
  task: (i: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) results[i] = await task(i);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  return results;
}
