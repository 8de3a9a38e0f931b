import { limits } from '../../lib/limits.ts';
import { decodeChanges, type MessageKey } from '../../lib/queue/records.ts';
import { type SearchDocument, tombstoneVersion } from '../../lib/search/search-index.ts';
import type { MergedMessage } from '../../lib/store/store.ts';
import { worker } from '../runtime/batch.ts';
import type { WorkerServices } from '../runtime/services.ts';

type SearchWorkerServices = Pick<WorkerServices, 'store' | 'searchIndex'>;

/** Indexes messages that changed, as the store has them now: what the record said when it was sent does not matter. */
export const searchWorker = worker('searchQueue', decodeChanges, async (records, services: SearchWorkerServices) => {
  const { store, searchIndex } = services;
  const changed = new Map<string, MessageKey>();
  for (const key of records.flatMap(({ content }) => content))
    changed.set(`${key.token}/${key.chat}/${key.number}`, key);
  const keys = [...changed.values()];
  for (let i = 0; i < keys.length; i += limits.rowsPerTransaction) {
    const rows = await store.merged(keys.slice(i, i + limits.rowsPerTransaction));
    await searchIndex.index(rows.flatMap(documentOf));
  }
  return [];
});

/** A row without `createdAt` is an edit whose message has not come yet; it is indexed when that comes. */
function documentOf(row: MergedMessage): SearchDocument[] {
  const { token, chat, number, createdAt, updatedAt } = row;
  if (row.deleted)
    return [
      { token, chat, number, version: tombstoneVersion, body: null, createdAt: createdAt ?? updatedAt, updatedAt },
    ];
  if (createdAt === null) return [];
  return [{ token, chat, number, version: row.revision, body: row.body, createdAt, updatedAt }];
}
