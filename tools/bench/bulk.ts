import { documentId } from '../../lib/search/opensearch/bulk.ts';
import { ownAlias } from '../../lib/search/opensearch/names.ts';
import { type SearchDocument, versionOf } from '../../lib/search/search-index.ts';
import { fold } from '../../lib/search/text/fold.ts';
import type { ScratchIndex } from './scratch.ts';

/** Returns the body of a `_bulk` request, as our search index writes it. */
export const bulkLines = (documents: SearchDocument[]): string =>
  documents
    .map(({ token, chat, number, content, revisions, createdAt, updatedAt }) => {
      const key = { token, chat, number };
      const version = versionOf(revisions) + 1;
      const index = { _id: documentId(key), routing: token, version, version_type: 'external' };
      const folded = fold(content?.body ?? '');
      const source = { ...key, created_at: createdAt, updated_at: updatedAt, ...content, folded };
      return `${JSON.stringify({ index })}\n${JSON.stringify(source)}\n`;
    })
    .join('');

/** Sends a `_bulk` request. @throws Error when OpenSearch refused a document */
export async function bulk({ client, alias }: ScratchIndex, lines: string): Promise<void> {
  // The client sends a string unchanged.
  const request = { index: ownAlias(alias, 1), require_alias: true, body: lines as unknown as object[] };
  const { body } = await client.bulk(request);
  if (body.errors) throw new Error('OpenSearch refused some of the documents');
}
