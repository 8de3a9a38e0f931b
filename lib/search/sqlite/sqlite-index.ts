import { isNumber } from '../../model/bounds.ts';
import { contentNames, contentOf, type MessageContent } from '../../model/content.ts';
import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import type { Database } from '../../sqlite/database.ts';
import {
  type DocumentVersion,
  documentVersion,
  membersWithRevisionField,
  noRevisions,
  RefusedDocuments,
  revisionFields,
  type revisionFieldsOf,
  revisionsOf,
  type SearchDocument,
  type SearchIndex,
  type SearchPage,
  type SearchQuery,
} from '../search-index.ts';
import { fold } from '../text/fold.ts';
import { byValidNumbers } from '../valid-numbers.ts';
import { grams } from './grams.ts';
import {
  applicationOf,
  chatOf,
  chatValues,
  type IndexedChat,
  inRange,
  newEdition,
  numberOf,
  ofChat,
  rangeOf,
  rowIdOf,
} from './ids.ts';
import { applicationGram, applicationTrigram } from './matching.ts';
import { SqliteSearch } from './search.ts';

/** A document as a row of the table; a tombstone has no content. */
type DocumentRow = (MessageContent | Record<keyof MessageContent, null>) &
  ReturnType<typeof revisionFieldsOf> & { version: number; createdAt: number; updatedAt: number };

interface OrderedDocument {
  id: bigint;
  /** The ordinals of its application and of its chat. */
  application: number;
  ordinal: number;
  document: SearchDocument;
}

const columns = [
  ...['id', 'application', 'chat', 'version'],
  ...contentNames,
  ...revisionFields,
  ...['created_at', 'updated_at'],
];
const documentValues = `search_documents (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
const insertDocument = `INSERT INTO ${documentValues} ON CONFLICT DO NOTHING`;
const replaceDocument = `REPLACE INTO ${documentValues}`;

/** The search index in SQLite: FTS5 tables over folded text. */
export class SqliteSearchIndex implements SearchIndex {
  readonly #database: Database;
  readonly #search: SqliteSearch;

  constructor(database: Database) {
    this.#database = database;
    this.#search = new SqliteSearch(database);
  }

  /**
   * Writes all rows first, then each full-text table in one go. Before most other statements, SQLite makes FTS5 flush
   * its buffered changes, so writing document by document was 2.6 times slower (8,300 documents/s instead of 21,400,
   * with 80 characters each).
   */
  async index(documents: SearchDocument[]): Promise<void> {
    const { valid, refused } = byValidNumbers(documents);
    this.#database.transaction(() => {
      const replaced: bigint[] = [];
      const fresh = new Map<bigint, { application: number; folded: string }>();
      const ordered = this.#inOrder(valid);
      this.#renewEditions(ordered);
      for (const { id, application, document } of ordered) {
        const row = rowOf(id, application, document);
        // Most documents are new.
        if (!this.#run(insertDocument, ...row)) {
          const stored = this.#get<{ version: number; hasBody: number }>(
            'SELECT version, body IS NOT NULL AS hasBody FROM search_documents WHERE id = ?',
            id,
          );
          if (stored && stored.version >= documentVersion(document)) continue;
          if (stored?.hasBody && !fresh.delete(id)) replaced.push(id);
          this.#run(replaceDocument, ...row);
        }
        if (document.content !== null) fresh.set(id, { application, folded: fold(document.content.body) });
      }
      for (const id of replaced) this.#run('DELETE FROM search_trigrams WHERE rowid = ?', id);
      for (const id of replaced) this.#run('DELETE FROM search_grams WHERE rowid = ?', id);
      const trigrams = 'INSERT INTO search_trigrams (rowid, application, body) VALUES (?, ?, ?)';
      for (const [id, { application, folded }] of fresh)
        this.#run(trigrams, id, applicationTrigram(application), folded);
      const sets = 'INSERT INTO search_grams (rowid, grams) VALUES (?, ?)';
      for (const [id, { application, folded }] of fresh)
        this.#run(sets, id, `${grams(folded).join(' ')} ${applicationGram(application)}`);
    });
    if (refused.length > 0) throw new RefusedDocuments(refused);
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    return this.#search.search(query);
  }

  async versions(
    { token, chat }: ChatKey,
    { after, limit }: { after: number; limit: number },
  ): Promise<DocumentVersion[]> {
    const indexed = this.#chatOf(token, chat);
    if (!indexed) return [];
    return this.#database
      .prepare(
        `SELECT ${numberOf('id')} AS number, version FROM search_documents
         WHERE application = ? AND ${ofChat('id')} ORDER BY id LIMIT ?`,
      )
      .all(indexed.application, ...chatValues(indexed, { after }), limit) as unknown as DocumentVersion[];
  }

  async document({ token, chat, number }: MessageKey): Promise<SearchDocument | undefined> {
    const indexed = this.#chatOf(token, chat);
    if (!indexed || !isNumber(number)) return undefined;
    const stored = this.#get<DocumentRow>(
      `SELECT ${[...contentNames, ...revisionFields].join(', ')}, version, created_at AS createdAt,
         updated_at AS updatedAt
       FROM search_documents WHERE application = ? AND ${ofChat('id')}`,
      indexed.application,
      ...chatValues(indexed, { after: number - 1, to: number }),
    );
    if (!stored) return undefined;
    const { createdAt, updatedAt } = stored;
    return stored.body === null
      ? { token, chat, number, content: null, revisions: noRevisions, createdAt, updatedAt }
      : {
          token,
          chat,
          number,
          content: contentOf(stored),
          revisions: revisionsOf(stored, stored.version),
          createdAt,
          updatedAt,
        };
  }

  async purge({ token, chat }: Parent, limit: number): Promise<number> {
    const application = applicationOf(this.#database, token);
    if (application === undefined) return 0;
    const chats = this.#database
      .prepare('SELECT chat, ordinal FROM search_chats WHERE application = ?1 AND (?2 IS NULL OR chat = ?2)')
      .all(application, chat ?? null) as { chat: number; ordinal: number }[];
    return this.#database.transaction(() => {
      let purged = 0;
      for (const each of chats) {
        const ids = this.#database.prepare(
          `SELECT id FROM search_documents WHERE application = ? AND ${ofChat('id')} LIMIT ?`,
        );
        ids.setReadBigInts(true);
        const found = ids.all(application, ...chatValues({ application, ...each }), limit - purged);
        for (const table of ['search_documents', 'search_trigrams', 'search_grams'])
          for (const { id } of found as { id: bigint }[]) this.#run(`DELETE FROM ${table} WHERE rowid = ?`, id);
        purged += found.length;
        if (found.length > 0) {
          this.#renewEdition('search_chats', each.ordinal);
          this.#renewEdition('search_applications', application);
        }
        if (purged >= limit) return purged;
        this.#run('DELETE FROM search_chats WHERE application = ? AND chat = ?', application, each.chat);
      }
      if (chat === undefined) this.#run('DELETE FROM search_applications WHERE token = ?', token);
      return purged;
    });
  }

  /**
   * Returns the documents with their ids, in the order of the ids: FTS5 writes its buffered changes to a new segment
   * whenever an id is lower than the one before.
   */
  #inOrder(documents: SearchDocument[]): OrderedDocument[] {
    // Most documents of a batch are in few chats, so each ordinal is read once.
    const ordinals = new Map<string, { application: number; chat: number }>();
    const found = documents.map((document) => {
      const name = `${document.token}/${document.chat}`;
      const { application, chat } = ordinals.get(name) ?? this.#ordinalsOf(document);
      ordinals.set(name, { application, chat });
      return { id: rowIdOf(chat, document.number), application, ordinal: chat, document };
    });
    return found.sort((a, b) => (a.id === b.id ? 0 : a.id < b.id ? -1 : 1));
  }

  /** Gives new editions to the chats in which not all documents are above the indexed ones, and to their applications. */
  #renewEditions(ordered: OrderedDocument[]): void {
    const applications = new Set<number>();
    let seen: number | undefined;
    for (const { application, ordinal, document } of ordered) {
      // The first document of a chat is its lowest.
      if (ordinal === seen) continue;
      seen = ordinal;
      const from = rangeOf({ ordinal }, { after: document.number - 1 });
      if (!this.#get(`SELECT 1 FROM search_documents WHERE ${inRange('id')} LIMIT 1`, ...from)) continue;
      this.#renewEdition('search_chats', ordinal);
      applications.add(application);
    }
    for (const application of applications) this.#renewEdition('search_applications', application);
  }

  #renewEdition(table: 'search_chats' | 'search_applications', ordinal: number): void {
    this.#run(`UPDATE ${table} SET edition = ${newEdition} WHERE ordinal = ?`, ordinal);
  }

  #chatOf(token: string, chat: number): IndexedChat | undefined {
    const application = applicationOf(this.#database, token);
    return application === undefined ? undefined : chatOf(this.#database, application, chat);
  }

  #ordinalsOf({ token, chat }: SearchDocument): { application: number; chat: number } {
    const application = this.#ordinal('search_applications', ['token'], token);
    return { application, chat: this.#ordinal('search_chats', ['application', 'chat'], application, chat) };
  }

  /** Returns the ordinal of an application or chat, and assigns one at its first document. */
  #ordinal(table: string, columns: string[], ...values: (string | number)[]): number {
    const where = columns.map((column) => `${column} = ?`).join(' AND ');
    const known = this.#get<{ ordinal: number }>(`SELECT ordinal FROM ${table} WHERE ${where}`, ...values);
    if (known) return known.ordinal;
    const marks = columns.map(() => '?').join(', ');
    return this.#get<{ ordinal: number }>(
      `INSERT INTO ${table} (${columns.join(', ')}, edition) VALUES (${marks}, ${newEdition}) RETURNING ordinal`,
      ...values,
    )?.ordinal as number;
  }

  #get<Result>(text: string, ...values: (string | number | bigint | null)[]): Result | undefined {
    return this.#database.prepare(text).get(...values) as Result | undefined;
  }

  /** Returns whether the statement changed a row. */
  #run(text: string, ...values: (string | number | bigint | null)[]): boolean {
    return this.#database.prepare(text).run(...values).changes > 0;
  }
}

/** Returns the values of the columns. */
function rowOf(id: bigint, application: number, document: SearchDocument): (string | number | bigint | null)[] {
  const { chat, content, revisions, createdAt, updatedAt } = document;
  const values: (string | number | bigint | null)[] = [id, application, chat, documentVersion(document)];
  // Plain loops for speed: the search worker calls this for each message.
  for (const name of contentNames) values.push(content === null ? null : content[name]);
  for (const member of membersWithRevisionField) values.push(revisions[member]);
  values.push(createdAt, updatedAt);
  return values;
}
