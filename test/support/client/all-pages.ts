import { expect } from 'vitest';

/** More pages or steps than any test has: what goes on beyond goes on without end. */
const most = 1_000;

/**
 * Every page of a list.
 *
 * @param read the page behind the one given, or the first
 * @param goesOn whether another follows
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

/** Purges until nothing is left to go, in steps of at most so many; answers how many went. */
export async function purgeAll(step: (limit: number) => Promise<number>, limit: number): Promise<number> {
  const steps = await allPages(
    () => step(limit),
    (count) => count > 0,
  );
  expect(Math.max(...steps)).toBeLessThanOrEqual(limit);
  return steps.reduce((sum, count) => sum + count);
}
