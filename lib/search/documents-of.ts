import type { MergedMessage } from '../store/store.ts';
import { type SearchDocument, tombstoneVersion } from './search-index.ts';

/**
 * What the index is to hold of a merged row. One without `createdAt` is an edit whose message has not come yet: it is
 * indexed when that comes.
 */
export function documentsOf(row: MergedMessage): SearchDocument[] {
  const { token, chat, number, createdAt, updatedAt } = row;
  if (row.deleted)
    return [
      { token, chat, number, version: tombstoneVersion, body: null, createdAt: createdAt ?? updatedAt, updatedAt },
    ];
  if (createdAt === null) return [];
  return [{ token, chat, number, version: row.revision, body: row.body, createdAt, updatedAt }];
}
