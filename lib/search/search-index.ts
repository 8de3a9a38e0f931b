import {
  type ContentMember,
  contentMembers,
  type MessageContent,
  memberRecord,
  type RevisionName,
  type Revisions,
  revisionName,
} from '../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../model/keys.ts';

/** A message as the search index stores it. */
export interface SearchDocument extends MessageKey {
  /** Null for a tombstone: the message is deleted, and no search returns it. */
  content: MessageContent | null;
  /** The revision of each member; all 0 for a tombstone. */
  revisions: Revisions;
  /** The times of the message, in milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
}

/** The version of a deleted message, higher than the version of any edit. */
export const tombstoneVersion = Number.MAX_SAFE_INTEGER;

/** Returns the sum of the revisions, which rises whenever one of them rises. */
export const versionOf = (revisions: Revisions): number => {
  let sum = 0;
  for (const member of contentMembers) sum += revisions[member];
  return sum;
};

/** Returns the version of a document. An index ignores a document unless its version is higher than the indexed one. */
export const documentVersion = ({ content, revisions }: SearchDocument): number =>
  content === null ? tombstoneVersion : versionOf(revisions);

type RevisionField = RevisionName<Exclude<ContentMember, 'body'>>;

/**
 * The members whose revision has its own field in an index. The body has none, because it was once the only member: its
 * revision is the version minus the other revisions.
 */
export const membersWithRevisionField = contentMembers.filter((member) => member !== 'body');

/** The names of the fields that {@link revisionFieldsOf} returns. */
export const revisionFields = membersWithRevisionField.map(revisionName);

/** Returns the fields with revisions that an index stores in addition to the version. */
export const revisionFieldsOf = (revisions: Revisions): Record<RevisionField, number> =>
  Object.fromEntries(membersWithRevisionField.map((member) => [revisionName(member), revisions[member]])) as Record<
    RevisionField,
    number
  >;

/** Returns the revisions of a document that is not a tombstone. A field that an older index lacks counts as 0. */
export function revisionsOf(fields: Partial<Record<RevisionField, number | null>>, version: number): Revisions {
  const revisionOf = (member: ContentMember) => fields[revisionName(member) as RevisionField] ?? 0;
  const others = membersWithRevisionField.reduce((sum, member) => sum + revisionOf(member), 0);
  return memberRecord((member) => (member === 'body' ? version - others : revisionOf(member)));
}

export const noRevisions: Revisions = memberRecord(() => 0);

/** The match after which a page begins; matches are ordered newest first. */
export interface SearchPosition {
  createdAt: number;
  chat: number;
  number: number;
}

export interface SearchQuery {
  token: string;
  /** The chat to search; undefined searches all chats of the application. */
  chat?: number;
  /** Plain text, 1 to 256 code points. */
  q: string;
  limit: number;
  after?: SearchPosition;
}

export interface SearchMatch extends SearchPosition {
  content: MessageContent;
  updatedAt: number;
}

export interface SearchPage {
  /** Newest first: by `createdAt`, chat and number, all descending; within one chat by number, descending. */
  matches: SearchMatch[];
  /** Whether older matches follow. */
  more: boolean;
  /** The number of matches on all pages. At most `limits.exactTotal`; beyond that, `totalIsMinimum` is true. */
  total: number;
  totalIsMinimum: boolean;
}

/** The version of a message in an index. */
export interface DocumentVersion {
  number: number;
  version: number;
}

/** A document that an index will never accept, for example because its analyzer rejects the text. */
export interface RefusedDocument {
  document: SearchDocument;
  /** Why the index refuses it. The text does not quote the document. */
  reason: string;
}

/** The index refused some documents for good, so retrying them is useless. All others of the call are indexed. */
export class RefusedDocuments extends Error {
  readonly documents: RefusedDocument[];

  constructor(documents: RefusedDocument[]) {
    super(`The search index refused ${documents.length} documents: ${documents[0]?.reason}`);
    this.documents = documents;
  }
}

/**
 * An index that finds messages by any part of their text. A search returns exactly what a scan would: the messages
 * whose folded body contains the folded query. A call that throws can be retried whole.
 */
export interface SearchIndex {
  /**
   * Indexes the documents. They may come in any order and repeatedly: the highest version of each message wins.
   * @throws RefusedDocuments
   */
  index(documents: SearchDocument[]): Promise<void>;
  search(query: SearchQuery): Promise<SearchPage>;
  /**
   * Returns up to `limit` indexed versions of a chat's messages in the order of their numbers, tombstones included.
   * Documents indexed within the last second may be missing.
   *
   * @param page.after only messages with higher numbers are returned
   */
  versions(chat: ChatKey, page: { after: number; limit: number }): Promise<DocumentVersion[]>;
  /** Returns the indexed document, even when it was indexed just now; undefined when there is none. */
  document(key: MessageKey): Promise<SearchDocument | undefined>;
  /** Removes up to `limit` documents of an application, or of one of its chats. Returns how many it removed. */
  purge(target: Parent, limit: number): Promise<number>;
}
