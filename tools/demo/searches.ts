import { styleText } from 'node:util';
import * as responses from '../../lib/api/responses.ts';
import { limits } from '../../lib/limits.ts';
import { formatNumber } from '../cli/numbers.ts';
import type { Client } from './client.ts';
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

const Match = responses.ApplicationMatchPage.shape.data.element.pick({ chat_number: true, highlight: true });
const Found = responses.ApplicationMatchPage.pick({ total: true, total_is_minimum: true }).extend({
  data: Match.array(),
});

/** Runs the searches over the whole application, and prints the total and a few matches of each. */
export async function showSearches(client: Client, token: string, chats: readonly LoadedChat[]): Promise<void> {
  const languages = new Map(chats.map(({ number, declaration }) => [number, declaration.language]));
  // styleText omits colours when there is no terminal or NO_COLOR is set.
  const bold = (text: string) => styleText('bold', text);
  const emphasise = (text: string) => styleText(['bold', 'green'], text);

  for (const { script, q, about } of searches) {
    const path = `/applications/${token}/search?${new URLSearchParams({ q, limit: String(limits.searchPage.max) })}`;
    const started = performance.now();
    const found = await client.get(path, Found);
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
