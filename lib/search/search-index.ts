import {
  type ContentMember,
  contentMembers,
  forEachMember,
  type MessageContent,
  type RevisionName,
  type Revisions,
  revisionName,
} from '../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../model/keys.ts';

/** A message as the search index holds it. */
export interface SearchDocument extends MessageKey {
  /** Null for a tombstone: the message is deleted and never found again. */
  content: MessageContent | null;
  /** All 0 for a tombstone. */
  revisions: Revisions;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
}

/** The version of a deleted message: above that of every edit. */
export const tombstoneVersion = Number.MAX_SAFE_INTEGER;

/** Returns the sum of the revisions: it rises whenever any of them does. */
export const versionOf = (revisions: Revisions): number => {
  let sum = 0;
  for (const member of contentMembers) sum += revisions[member];
  return sum;
};

/** Returns the version of a document. An index ignores a document whose version is not above the one that it holds. */
export const documentVersion = ({ content, revisions }: SearchDocument): number =>
  content === null ? tombstoneVersion : versionOf(revisions);

type OwnRevision = RevisionName<Exclude<ContentMember, 'body'>>;

/**
 * The members whose revision has a field of its own in an index. The body was the only member once, so its revision is
 * what the others leave of the version.
 */
const ownRevisions = contentMembers.filter((member) => member !== 'body');

/** The fields of {@link heldRevisions}. */
export const revisionFields = ownRevisions.map(revisionName);

/** Returns the revisions as an index keeps them beside the version. */
export const heldRevisions = (revisions: Revisions): Record<OwnRevision, number> =>
  Object.fromEntries(ownRevisions.map((member) => [revisionName(member), revisions[member]])) as Record<
    OwnRevision,
    number
  >;

/** Returns the revisions of a document that is no tombstone. Fields that an older index does not have count as 0. */
export function revisionsOf(held: Partial<Record<OwnRevision, number | null>>, version: number): Revisions {
  const own = (member: ContentMember) => held[revisionName(member) as OwnRevision] ?? 0;
  const others = ownRevisions.reduce((sum, member) => sum + own(member), 0);
  return forEachMember((member) => (member === 'body' ? version - others : own(member)));
}

export const noRevisions: Revisions = forEachMember(() => 0);

/** Where a page of matches begins: after this match, in the order newest first. */
export interface SearchPosition {
  createdAt: number;
  chat: number;
  number: number;
}

export interface SearchQuery {
  token: string;
  /** One chat; without it, all chats of the application. */
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
  /** Newest first: by `createdAt`, chat, number, descending; in one chat by number. */
  matches: SearchMatch[];
  /** Whether older matches follow. */
  more: boolean;
  /** All matches, exact up to `limits.exactTotal`; above, that number with `totalIsMinimum`. */
  total: number;
  totalIsMinimum: boolean;
}

/** Which version of a message an index holds. */
export interface DocumentVersion {
  number: number;
  version: number;
}

/** A document that an index will never take, such as one whose text its analyzer can't read, and why, without quoting it. */
export interface RefusedDocument {
  document: SearchDocument;
  reason: string;
}

/** Documents that are not to be tried again; all others of the call are in the index. */
export class RefusedDocuments extends Error {
  readonly documents: RefusedDocument[];

  constructor(documents: RefusedDocument[]) {
    super(`The search index refused ${documents.length} documents: ${documents[0]?.reason}`);
    this.documents = documents;
  }
}

/**
 * The messages, searchable by any part of their text. A search is exactly a scan: it finds the messages whose folded
 * body contains the folded query. A call that throws may be repeated whole.
 */
export interface SearchIndex {
  /**
   * Takes the documents in, in any order and any number of times: the highest version of each wins.
   * @throws RefusedDocuments
   */
  index(documents: SearchDocument[]): Promise<void>;
  search(query: SearchQuery): Promise<SearchPage>;
  /**
   * Returns up to `limit` versions held of a chat's messages, by number, tombstones included. What was indexed within the
   * last second may be missing.
   *
   * @param page.after only higher numbers
   */
  versions(chat: ChatKey, page: { after: number; limit: number }): Promise<DocumentVersion[]>;
  /** Returns a document as it is held, even if it was indexed just now. */
  document(key: MessageKey): Promise<SearchDocument | undefined>;
  /** Removes up to `limit` documents of an application, or of one of its chats. Returns how many it removed. */
  purge(target: Parent, limit: number): Promise<number>;
}
