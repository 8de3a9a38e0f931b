import { expect } from 'vitest';

/** More pages or steps than any test has, so that an endless list fails the test. */
const most = 1_000;

/**
 * Returns every page of a list.
 *
 * @param read returns the page after the given one, or the first
 * @param goesOn returns whether another page follows
 */
export async function allPages<Page>(
  read: (last: Page | undefined) => Promise<Page>,
  goesOn: (page: Page) => boolean,
): Promise<Page[]> {
  const pages: Page[] = [];
  for (;;) {
    const page = await read(pages.at(-1));
    pages.push(page);
    if (!goesOn(page)) return pages;
    expect(pages.length, 'pages').toBeLessThan(most);
  }
}

/** Purges in steps of at most `limit` until nothing is left, and returns the number of purged entries. */
export async function purgeAll(step: (limit: number) => Promise<number>, limit: number): Promise<number> {
  const steps = await allPages(
    () => step(limit),
    (count) => count > 0,
  );
  expect(Math.max(...steps)).toBeLessThanOrEqual(limit);
  return steps.reduce((sum, count) => sum + count);
}
