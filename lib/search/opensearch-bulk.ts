import { limits } from '../limits.ts';
import type { MessageKey } from '../queue/records.ts';
import { fold } from './fold.ts';
import type { SearchDocument } from './search-index.ts';

/** What a document holds; `folded` is searched, and the rest answers. */
export interface Source {
  token: string;
  chat: number;
  number: number;
  body?: string;
  folded?: string;
  created_at: number;
  updated_at: number;
}

export interface Bulk {
  documents: SearchDocument[];
  /** The lines of the request's body. */
  operations: string[];
}

/** The name of a message's document. */
export const documentId = ({ token, chat, number }: MessageKey): string => `${token}/${chat}/${number}`;

/** The version that OpenSearch has for a document's: external ones begin at 1, revisions at 0. */
const externalVersion = (version: number): number => version + 1;
export const versionOf = (external: number): number => external - 1;

/** The documents in requests of a bounded size. */
export function* bulks(documents: SearchDocument[]): Generator<Bulk> {
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

function operationOf({ token, chat, number, version, body, createdAt, updatedAt }: SearchDocument): object[] {
  const source: Source = { token, chat, number, created_at: createdAt, updated_at: updatedAt };
  if (body !== null) Object.assign(source, { body, folded: fold(body) });
  return [
    {
      index: {
        _id: documentId({ token, chat, number }),
        routing: token,
        version: externalVersion(version),
        version_type: 'external',
      },
    },
    source,
  ];
}
