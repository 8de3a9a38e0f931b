import { limits } from '../../lib/limits.ts';
import type { MessageKey } from '../../lib/model/keys.ts';
import { decodeChangesRecord } from '../../lib/queue/records.ts';
import { documentsOf } from '../../lib/search/documents-of.ts';
import {
  type RefusedDocument,
  RefusedDocuments,
  type SearchDocument,
  type SearchIndex,
} from '../../lib/search/search-index.ts';
import { logEvents } from '../runtime/observe/log.ts';
import type { WorkerServices } from '../runtime/services.ts';
import { type Poison, secondsSince, worker } from '../runtime/worker.ts';

type SearchWorkerServices = Pick<WorkerServices, 'store' | 'searchIndex'>;

/** Indexes messages that changed, as the store has them now and not as they were when the record was sent. */
export const searchWorker = worker({
  queue: 'search',
  decode: decodeChangesRecord,
  done: logEvents.indexed,
  work: async (records, { store, searchIndex }: SearchWorkerServices) => {
    const changed = new Map<string, MessageKey>();
    for (const { content } of records) for (const key of content.messages) changed.set(nameOf(key), key);
    const keys = [...changed.values()];
    const refused = new Map<string, string>();
    for (let i = 0; i < keys.length; i += limits.rowsPerTransaction) {
      const rows = await store.merged(keys.slice(i, i + limits.rowsPerTransaction));
      for (const { document, reason } of await indexed(searchIndex, rows.flatMap(documentsOf)))
        refused.set(nameOf(document), reason);
    }
    const oldest = records.flatMap(({ content }) => content.at ?? []).sort((a, b) => a - b)[0];
    const measured = { indexed: keys.length - refused.size, indexed_lag: secondsSince(oldest) };
    const poison = records.flatMap(({ record, content }): Poison[] => {
      const reasons = content.messages.map((key) => refused.get(nameOf(key)));
      const bad = reasons.findIndex((reason) => reason !== undefined);
      // The reason is logged, so it names the position in the record instead of the token.
      return bad < 0 ? [] : [{ record, reason: `messages.${bad}: ${reasons[bad]}` }];
    });
    return { poison, measured };
  },
});

const nameOf = ({ token, chat, number }: MessageKey): string => `${token}/${chat}/${number}`;

/** Indexes the documents, and returns those that the index can never accept. */
async function indexed(searchIndex: SearchIndex, documents: SearchDocument[]): Promise<RefusedDocument[]> {
  try {
    await searchIndex.index(documents);
    return [];
  } catch (error) {
    if (error instanceof RefusedDocuments) return error.documents;
    throw error;
  }
}
