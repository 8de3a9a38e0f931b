import { searchWorker } from '../../../functions/workers/search.ts';
import type { Write } from '../../../lib/model/write.ts';
import { encodeChanges } from '../../../lib/queue/records.ts';
import { documentsOf } from '../../../lib/search/documents-of.ts';
import { lambdaContext, sqsEvent } from '../../../local/lambda-events.ts';
import { median } from '../../statistics/quantiles.ts';
import { bulk, bulkLines } from '../bulk.ts';
import { figure } from '../figure.ts';
import { messageTexts } from '../messages.ts';
import { makeDatabase, makeIndex } from '../scratch.ts';
import { msOf } from '../time.ts';

const sizes = { full: { runs: 7, batches: 15 }, smoke: { runs: 1, batches: 2 } };
const rows = 1_000;
const [token, chat] = ['bench', 1];

export const searchWorkerFigure = figure({
  title: 'AWS: indexing messages',
  about: `The search worker indexes batches of 1,000 new messages of 80 characters: it decodes the record, reads the messages from
    MariaDB, folds their case and sends them to OpenSearch, which takes the rest of the time. The reference sends the same
    \`_bulk\` request, serialized beforehand. OpenSearch has a heap of 512 MB and only the first-tier compiler of Java, so
    it is slower than a dedicated server.`,
  measure: async ({ scale, say, servers }) => {
    const { runs, batches } = sizes[scale];
    const where = await servers();
    const [database, ours, raw] = [await makeDatabase(where), await makeIndex(where), await makeIndex(where)];
    try {
      const { store } = database;
      const worker = searchWorker({
        store,
        searchIndex: ours.index,
        searchQueue: { addDeadLetters: async () => undefined },
      });
      const next = batchesOfWrites();
      const results = { worker: [] as number[], bulk: [] as number[], sql: [] as number[], folding: [] as number[] };
      for (let run = 0; run < runs; run++) {
        say(`run ${run + 1} of ${runs}`);
        const ms = { worker: [] as number[], bulk: [] as number[], sql: [] as number[], folding: [] as number[] };
        for (let batch = 0; batch < batches; batch++) {
          const writes = next();
          await store.merge(writes);
          const keys = writes.map(({ number }) => ({ token, chat, number }));
          const event = sqsEvent('bench', [{ receipt: '1', body: encodeChanges(keys), receives: 1 }]);
          ms.worker.push(await msOf(() => worker(event, lambdaContext('bench'))));

          const documents = (await store.merged(keys)).flatMap(documentsOf);
          const lines = bulkLines(documents);
          ms.bulk.push(await msOf(() => bulk(raw, lines)));
          ms.sql.push(await msOf(() => store.merged(keys)));
          ms.folding.push(await msOf(() => bulkLines(documents)));
        }
        for (const part of ['worker', 'bulk', 'sql', 'folding'] as const) results[part].push(median(ms[part]));
      }
      const rate = (ms: number) => (rows * 1_000) / ms;
      const share = (part: number[]) => part.map((ms, run) => (100 * ms) / (results.worker[run] as number));
      return [
        {
          what: 'the search worker',
          unit: 'messages/s',
          values: results.worker.map(rate),
          reference: { what: '`_bulk` alone', values: results.bulk.map(rate) },
          bar: { atLeast: 0.8 },
        },
        { what: 'share of reading the messages from SQL', unit: '%', values: share(results.sql) },
        { what: 'share of folding case and writing JSON', unit: '%', values: share(results.folding) },
      ];
    } finally {
      for (const each of [database, ours, raw]) await each.drop();
    }
  },
});

function batchesOfWrites() {
  const texts = messageTexts();
  let last = 0;
  return () =>
    Array.from({ length: rows }, () => {
      last++;
      const content = { body: texts.next().value };
      return { kind: 'message', token, chat, number: last, revision: 0, at: Date.now(), content } satisfies Write;
    });
}
