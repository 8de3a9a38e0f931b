import { documentId } from '../../lib/search/opensearch/bulk.ts';
import { ownAlias } from '../../lib/search/opensearch/names.ts';
import type { SearchDocument } from '../../lib/search/search-index.ts';
import { fold } from '../../lib/search/text/fold.ts';
import type { ScratchIndex } from './scratch.ts';

/** Returns the body of a `_bulk` request, as our search index writes it. */
export const linesOf = (documents: SearchDocument[]): string =>
  documents
    .map(({ version, body, createdAt, updatedAt, ...key }) => {
      const index = { _id: documentId(key), routing: key.token, version: version + 1, version_type: 'external' };
      const source = { ...key, created_at: createdAt, updated_at: updatedAt, body, folded: fold(body ?? '') };
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
