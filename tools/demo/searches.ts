import { styleText } from 'node:util';
import type { ChatSystem } from '../../client/src/index.ts';
import { limits } from '../../lib/limits.ts';
import { formatNumber } from '../cli/numbers.ts';
import { excerpt } from './excerpt.ts';
import type { LoadedChat } from './load.ts';

/** Each search is for a part of a word; `about` is the meaning of the word. */
const searches = [
  { script: 'Latin', q: 'niversal', about: 'universal' },
  { script: 'Cyrillic', q: 'вобод', about: 'freedom' },
  { script: 'Arabic', q: 'قوق', about: 'rights' },
  { script: 'Han', q: '自由', about: 'freedom' },
  { script: 'Devanagari', q: 'धिका', about: 'rights' },
];

/** The number of matches to show for each search, each from a different chat. */
const shown = 3;

/** Runs the searches over the whole application, and prints the total and a few matches of each. */
export async function showSearches(system: ChatSystem, chats: readonly LoadedChat[]): Promise<void> {
  const languages = new Map(chats.map(({ chat, declaration }) => [chat.number, declaration.language]));
  // styleText omits colours when there is no terminal or NO_COLOR is set.
  const bold = (text: string) => styleText('bold', text);
  const emphasise = (text: string) => styleText(['bold', 'green'], text);

  for (const { script, q, about } of searches) {
    const started = performance.now();
    const found = await system.search(q, { limit: limits.searchPage.max }).page();
    const ms = performance.now() - started;
    const total = `${found.total_is_minimum ? 'over ' : ''}${formatNumber(found.total)} matches`;
    console.log(`\n${bold(`${script}: ${q}`)} (${about}) · ${total} · ${formatNumber(ms)} ms`);

    const ofChats = [...Map.groupBy(found.data, (match) => match.chat_number)].slice(0, shown);
    const nameOf = (chat: number) => languages.get(chat) ?? `chat ${chat}`;
    const width = Math.max(...ofChats.map(([chat]) => nameOf(chat).length));
    for (const [chat, [match]] of ofChats)
      console.log(`  ${nameOf(chat).padEnd(width)}  ${excerpt(match?.highlight ?? '', emphasise)}`);
  }
}
