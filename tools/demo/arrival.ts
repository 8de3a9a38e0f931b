import { setTimeout as sleep } from 'node:timers/promises';
import * as answers from '../../lib/api/answers.ts';
import { limits } from '../../lib/limits.ts';
import { type Client, Unreachable } from './client.ts';
import type { LoadedChat } from './load.ts';
import { inParallel } from './parallel.ts';
import { probes } from './probes.ts';

// When all is stored, and when all is searchable, is told from outside, by what any client gets to see. Counts won't do:
// `messages_count` counts what is accepted, and may be a minute old. So each chat is looked at until it is whole: two or
// three requests a chat, in the order in which they were accepted, which is about that in which they are stored; nearly
// every look then finds its chat whole, and the waiting is done at the front. Looking begins when all is accepted, so
// that it does not slow down accepting. What it tells is never too early, and too late by no more than the looks that
// are still to do when the last message arrives; all of them together take an API on this machine about a second.

const lookAgainMs = 100;
/** Looks at the same time: enough to be quick with an API that is far away, and few enough not to be a load. */
const looks = 4;
/** Storing takes seconds; when a chat has not got any further for this long, something is broken. */
const stalledMs = 5 * 60_000;

const Page = answers.MessagePage.pick({ pending: true }).extend({
  data: answers.Message.pick({ number: true }).array(),
});
const Total = answers.ChatMatchPage.pick({ total: true });

type OnWhole = (messages: number) => void;

/** Resolves when every message of the chats can be read. */
export const untilStored = (client: Client, chats: readonly LoadedChat[], onWhole: OnWhole): Promise<void> =>
  inParallel(chats, looks, async ({ messages, declaration: { paragraphs } }) => {
    // Storing is not in order: below the lowest pending number of a page, and only there, all is stored.
    let whole = 0;
    await until('stored', async () => {
      const page = await client.get(`${messages}?after=${whole}&limit=${limits.page.max}`, Page);
      whole = page.pending.length > 0 ? Math.min(...page.pending) - 1 : (page.data.at(-1)?.number ?? whole);
      return whole >= paragraphs.length ? true : whole;
    });
    onWhole(paragraphs.length);
  });

/** Resolves when every message of the chats can be found. */
export const untilSearchable = (client: Client, chats: readonly LoadedChat[], onWhole: OnWhole): Promise<void> =>
  inParallel(chats, looks, async ({ messages, declaration: { paragraphs } }) => {
    for (const { q, total } of probes(paragraphs))
      await until('searchable', async () => {
        const found = await client.get(`${messages}/search?${new URLSearchParams({ q, limit: '1' })}`, Total);
        return found.total >= total ? true : found.total;
      });
    onWhole(paragraphs.length);
  });

/** Looks until it is so; `look` answers true or how far it has come. */
async function until(what: string, look: () => Promise<true | number>): Promise<void> {
  let before: number | undefined;
  for (let since = Date.now(); ; ) {
    const reached = await look();
    if (reached === true) return;
    if (reached !== before) since = Date.now();
    if (Date.now() - since > stalledMs)
      throw new Unreachable(
        `Messages that were accepted have not become ${what} for ${stalledMs / 60_000} minutes; the server's log may say why.`,
      );
    before = reached;
    await sleep(lookAgainMs);
  }
}
