import { limits } from '../../lib/limits.ts';
import type { SearchDocument } from '../../lib/search/search-index.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import { openSqliteFile } from '../support/servers/sqlite-file.ts';
import { scans } from '../support/texts/scan.ts';
import { drawCase } from './cases.ts';

/** The result of one search of a case. */
export interface TimedSearch {
  seed: number;
  what: string;
  /** Processor time in milliseconds. */
  ms: number;
  /** The difference between the result and a scan of the texts, or undefined when there is none. */
  wrong: string | undefined;
}

const pageSize = 20;

/**
 * Indexes the messages of a case, and runs its searches in a chat and in the application, for the first page and
 * another one.
 */
export async function runCase(seed: number, size: number): Promise<TimedSearch[]> {
  const { documents, queries } = drawCase(seed, size);
  const file = await openSqliteFile({ search: searchMigrations });
  try {
    const index = new SqliteSearchIndex(file.database);
    for (let i = 0; i < documents.length; i += limits.rowsPerTransaction)
      await index.index(documents.slice(i, i + limits.rowsPerTransaction));
    const searches: TimedSearch[] = [];
    for (const q of queries)
      for (const chat of [undefined, 1]) {
        const matches = documents
          .filter((each) => (chat === undefined || each.chat === chat) && scans(each.content?.body as string, q))
          .sort((a, b) => (chat ? 0 : b.createdAt - a.createdAt || b.chat - a.chat) || b.number - a.number);
        for (const from of [0, Math.floor(matches.length / 2)]) {
          const after = from > 0 && matches[from - 1];
          const query = {
            token: `${seed}`,
            q,
            limit: pageSize,
            ...(chat && { chat }),
            ...(after && { after: position(after) }),
          };
          // Measures a slow search again, because other programs may use the machine.
          let [found, ms] = await timed(() => index.search(query));
          if (ms > 20) [found, ms] = await timed(() => index.search(query));
          const numbers = found.matches.map(({ number }) => number).join();
          const expected = matches
            .slice(from, from + pageSize)
            .map(({ number }) => number)
            .join();
          const isRight = numbers === expected && found.total === Math.min(matches.length, limits.exactTotal);
          searches.push({
            seed,
            what: `${JSON.stringify(brief(q))} (${[...q].length} characters) ${chat ? 'in a chat' : 'in the application'}${after ? ', a later page' : ''}: ${matches.length} of ${documents.length} messages of up to ${[...(documents[0]?.content?.body ?? '')].length} characters`,
            ms,
            wrong: isRight ? undefined : `found ${numbers} of ${found.total}, not ${expected} of ${matches.length}`,
          });
        }
      }
    return searches;
  } finally {
    file.remove();
  }
}

const position = ({ createdAt, chat, number }: SearchDocument) => ({ createdAt, chat, number });

const brief = (q: string): string => ([...q].length > 30 ? `${[...q].slice(0, 30).join('')}…` : q);

export async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const startedAt = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(startedAt);
  return [result, (user + system) / 1_000];
}
