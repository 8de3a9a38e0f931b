import { type Figure, figure, type Measurement } from '../figure.ts';
import { big, fillChat } from '../fill.ts';
import { makeDatabase, makeIndex, type ScratchDatabase } from '../scratch.ts';
import { median, percentile } from '../statistics.ts';
import { msOf } from '../time.ts';

const sizes = {
  full: { messages: 1_000_000, runs: 5, searches: 100, scans: 1 },
  smoke: { messages: 2_000, runs: 1, searches: 3, scans: 1 },
};
const limit = 20;

/** How common they are in the texts of bench/messages.ts: in every second message, or in a hundred of a million. */
const queries = { common: ['e', 'th', 'the', 'everyone has'], rare: ['皮', 'qz', 'zej', 'an and the r'] };

export const searchLatencyOpensearch: Figure = figure({
  title: 'AWS: searching a chat of 1,000,000 messages',
  about: `Searches in OpenSearch for 1, 2, 3 and 12 characters, 20 matches a page, one after the other in a chat of 1,000,000 messages of 80 characters in
    English and 530 other languages; the same query is repeated, so caches are warm. The rare 12 characters are made of common parts. The reference is
    \`LIKE '%…%'\` on the same rows in MariaDB with the same order and limit, which counts no matches and minds case. OpenSearch has a heap of 512 MB and the
    first tier of its compiler alone here, MariaDB a buffer pool of 64 MB: what both have on a development machine.`,
  measure: async ({ scale, say, servers }) => {
    const { messages, runs, searches, scans } = sizes[scale];
    const where = await servers();
    const [database, index] = [await makeDatabase(where), await makeIndex(where)];
    try {
      const ms = await msOf(() => fillChat(messages, database, index));
      say(`${messages.toLocaleString('en-US')} messages loaded in ${Math.round(ms / 1_000)} s`);
      const times = (count: number, work: () => Promise<unknown>) =>
        Array.fromAsync({ length: count }, () => msOf(work));
      const measurements: Measurement[] = [];
      for (const [kind, texts] of Object.entries(queries))
        for (const q of texts) {
          say(`${kind}: ${q}`);
          const search = () => index.index.search({ ...big, q, limit });
          const { total } = await search();
          const ours = [] as number[][];
          const like = [] as number[];
          for (let run = 0; run < runs; run++) {
            ours.push(await times(searches, search));
            like.push(median(await times(scans, () => scan(database, q))));
          }
          const what = `${[...q].length} characters, ${kind} (${total.toLocaleString('en-US')} matches)`;
          measurements.push(
            {
              what: `${what}: median`,
              unit: 'ms',
              values: ours.map(median),
              reference: { what: '`LIKE`', values: like },
            },
            {
              what: `${what}: 99th percentile`,
              unit: 'ms',
              values: ours.map((ms) => percentile(ms, 99)),
              bar: { atMost: 50 },
            },
          );
        }
      return measurements;
    } finally {
      for (const each of [database, index]) await each.drop();
    }
  },
});

const scan = ({ plain }: ScratchDatabase, q: string) =>
  plain.query(
    `SELECT number, body, created_at, updated_at FROM messages
     WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL AND body LIKE ? ORDER BY number DESC LIMIT ?`,
    [big.token, big.chat, `%${q}%`, limit + 1],
  );
