import type { Client } from '@opensearch-project/opensearch';
import { limits } from '../../limits.ts';
import { blankContent, contentOf, type MessageContent } from '../../model/content.ts';
import type { MessageKey } from '../../model/keys.ts';
import { documentVersion, type RefusedDocument, revisionFieldsOf, type SearchDocument } from '../search-index.ts';
import { fold } from '../text/fold.ts';
import { withDeadline } from './client.ts';

/**
 * The fields of a document. `folded` is only searched; the others are stored and returned. A tombstone has no content.
 * An index of an earlier version lacks the members that were added later.
 */
export interface Source extends MessageKey, Partial<MessageContent>, Partial<ReturnType<typeof revisionFieldsOf>> {
  folded?: string;
  created_at: number;
  updated_at: number;
}

/** Returns the content of a document that is not a tombstone. */
export const contentIn = (source: Source): MessageContent => contentOf({ ...blankContent, ...source });

interface Bulk {
  documents: SearchDocument[];
  /** The lines of the request's body. */
  operations: string[];
}

/** Returns the id of a message's document. */
export const documentId = ({ token, chat, number }: MessageKey): string => `${token}/${chat}/${number}`;

/** Returns the version that OpenSearch stores for a document. Its external versions begin at 1, ours at 0. */
const externalVersion = (version: number): number => version + 1;
export const internalVersion = (external: number): number => external - 1;

/** The error of a bulk item that is caused by the document itself, so a retry fails again. */
const documentError = 'mapper_parsing_exception';

/**
 * Writes the documents to the index of an alias. Returns those that OpenSearch will never accept.
 *
 * @throws Error when OpenSearch temporarily refused a document; retry all of them
 */
export async function indexInto(
  client: Client,
  alias: string,
  documents: SearchDocument[],
): Promise<RefusedDocument[]> {
  const refused: RefusedDocument[] = [];
  for (const bulk of bulks(documents)) refused.push(...(await indexBulk(client, alias, bulk)));
  return refused;
}

async function indexBulk(client: Client, index: string, bulk: Bulk): Promise<RefusedDocument[]> {
  const request = client.bulk({
    index,
    // Otherwise OpenSearch creates an index with default settings when the alias is missing.
    require_alias: true,
    // The client sends strings unchanged.
    body: bulk.operations as unknown as object[],
  });
  const { body } = await withDeadline(limits.searchMs.work, request);
  const refused: RefusedDocument[] = [];
  for (const [i, { index: item }] of body.items.entries()) {
    // A conflict means that the index already has this version or a newer one.
    if (!item?.error || item.status === 409) continue;
    const { type } = item.error;
    // OpenSearch's error message would quote the document.
    const reason = `${item.status} ${type}`;
    if (type !== documentError)
      throw Object.assign(new Error(`OpenSearch refused a document: ${reason}`), { code: type });
    refused.push({ document: bulk.documents[i] as SearchDocument, reason });
  }
  return refused;
}

/** Splits the documents into bulk requests of at most `limits.bulkBytes`, or of one document. */
function* bulks(documents: SearchDocument[]): Generator<Bulk> {
  let bulk: Bulk = { documents: [], operations: [] };
  let bytes = 0;
  for (const document of documents) {
    const lines = operationOf(document).map((line) => JSON.stringify(line));
    const more = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    if (bytes > 0 && bytes + more > limits.bulkBytes) {
      yield bulk;
      bulk = { documents: [], operations: [] };
      bytes = 0;
    }
    bulk.documents.push(document);
    bulk.operations.push(...lines);
    bytes += more;
  }
  if (bytes > 0) yield bulk;
}

function operationOf(document: SearchDocument): object[] {
  const { token, chat, number, content, revisions, createdAt, updatedAt } = document;
  const source: Source = { token, chat, number, created_at: createdAt, updated_at: updatedAt };
  if (content !== null) Object.assign(source, content, revisionFieldsOf(revisions), { folded: fold(content.body) });
  return [
    {
      index: {
        _id: documentId({ token, chat, number }),
        routing: token,
        version: externalVersion(documentVersion(document)),
        version_type: 'external',
      },
    },
    source,
  ];
}
