import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../lib/limits.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { LoadedChat } from './load.ts';
import { inParallel } from './parallel.ts';
import { probes } from './probes.ts';

// The demo uses only the API, as any client could, to find out when every message is stored and when every message is
// searchable. Counts do not help: `messages_count` counts accepted messages and may be a minute old. So the demo polls
// each chat until it is complete. It polls the chats in the order in which they were accepted, which is roughly the
// order in which they are stored. So nearly all waiting happens at the first incomplete chat, and most chats need two
// or three requests. Polling starts when everything is accepted, so that it does not slow down accepting. The measured
// time is never too short. It is too long by at most the time that the remaining polls take after the last message has
// arrived. All polls together take about a second against an API on this machine.

const pollMs = 100;
/** The number of chats polled at the same time: enough to be quick with a distant API, few enough not to load it. */
const polledChats = 4;
/**
 * Milliseconds without progress in a chat after which the demo fails. Storing takes seconds, so something is broken.
 */
const stalledMs = 5 * 60_000;

/** Called with the number of messages of each chat that is complete. */
type OnComplete = (messages: number) => void;

/** Resolves when every message of the chats can be read. */
export const untilStored = (chats: readonly LoadedChat[], onComplete: OnComplete): Promise<void> =>
  inParallel(chats, polledChats, async ({ chat, declaration: { paragraphs } }) => {
    // Messages are stored in any order: only below the lowest pending number of a page is everything stored.
    let stored = 0;
    await until('stored', async () => {
      const page = await chat.messages({ after: stored, limit: limits.page.max }).page();
      stored = page.pending.length > 0 ? Math.min(...page.pending) - 1 : (page.data.at(-1)?.number ?? stored);
      return stored >= paragraphs.length ? true : stored;
    });
    onComplete(paragraphs.length);
  });

/** Resolves when a search can find every message of the chats. */
export const untilSearchable = (chats: readonly LoadedChat[], onComplete: OnComplete): Promise<void> =>
  inParallel(chats, polledChats, async ({ chat, declaration: { paragraphs } }) => {
    for (const { q, total } of probes(paragraphs))
      await until('searchable', async () => {
        const found = await chat.search(q, { limit: 1 }).page();
        return found.total >= total ? true : found.total;
      });
    onComplete(paragraphs.length);
  });

/** Polls until `poll` returns true; otherwise it returns its progress. @throws CommandProblem when progress stalls */
async function until(what: string, poll: () => Promise<true | number>): Promise<void> {
  let before: number | undefined;
  for (let since = Date.now(); ; ) {
    const reached = await poll();
    if (reached === true) return;
    if (reached !== before) since = Date.now();
    if (Date.now() - since > stalledMs)
      throw new CommandProblem(
        `No accepted message became ${what} for ${stalledMs / 60_000} minutes; see the log of the server.`,
      );
    before = reached;
    await sleep(pollMs);
  }
}
