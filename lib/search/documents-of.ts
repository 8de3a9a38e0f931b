import type { MergedMessage } from '../store/merging.ts';
import { noRevisions, type SearchDocument } from './search-index.ts';

/**
 * Returns the document of a merged row, or none. A row without `createdAt` is an edit whose message has not arrived
 * yet; it is indexed when the message arrives.
 */
export function documentsOf(row: MergedMessage): SearchDocument[] {
  const { token, chat, number, content, revisions, createdAt, updatedAt } = row;
  if (row.deleted)
    return [
      { token, chat, number, content: null, revisions: noRevisions, createdAt: createdAt ?? updatedAt, updatedAt },
    ];
  if (createdAt === null) return [];
  return [{ token, chat, number, content, revisions, createdAt, updatedAt }];
}
