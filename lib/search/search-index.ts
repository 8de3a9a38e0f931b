import type { MessageKey } from '../model/keys.ts';

/** A message as the search index holds it. */
export interface SearchDocument {
  token: string;
  chat: number;
  number: number;
  /** A document of a lower or equal version than the one held is ignored; see {@link tombstoneVersion}. */
  version: number;
  /** Null for a tombstone: the message is deleted and never found again. */
  body: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
}

/** The version of a deleted message: above every edit's revision. */
export const tombstoneVersion = Number.MAX_SAFE_INTEGER;

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

export type SearchMatch = SearchPosition & { body: string; updatedAt: number };

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
   * The versions held of a chat's messages, tombstones among them, by number from behind `after`. What was indexed in the
   * last moment may be missing.
   */
  versions(token: string, chat: number, after: number, limit: number): Promise<DocumentVersion[]>;
  /** A document as it is held, just indexed or not. */
  document(key: MessageKey): Promise<SearchDocument | undefined>;
  /** Removes up to `limit` documents of an application, or of one of its chats; answers how many it removed. */
  purge(target: { token: string; chat?: number }, limit: number): Promise<number>;
}
