import { limits } from '../limits.ts';
import type { MessageKey } from '../queue/records.ts';
import type { Database } from '../sqlite/database.ts';
import { fold } from './fold.ts';
import { grams } from './grams.ts';
import type {
  DocumentVersion,
  SearchDocument,
  SearchIndex,
  SearchMatch,
  SearchPage,
  SearchQuery,
} from './search-index.ts';

/** Bits of an id that hold the message's number; the chat's ordinal stands above them. */
const numberBits = 32n;
const largestNumber = (1n << numberBits) - 1n;

const documentId = (ordinal: number, number: number): bigint => (BigInt(ordinal) << numberBits) | BigInt(number);

/** An application's ordinal as exactly one trigram, in digits of base 4096. */
const applicationTrigram = (ordinal: number): string =>
  [ordinal >> 24, (ordinal >> 12) & 4095, ordinal & 4095].map((digit) => String.fromCodePoint(0x4e00 + digit)).join('');
/** The same among the grams; `y` is no hexadecimal digit. */
const applicationGram = (ordinal: number): string => `y${ordinal.toString(16)}`;

/** SQLite reads these two as U+FFFD, so its index can't tell the three apart and the text itself decides. */
const confused = /[\uFFFD-\uFFFF]/;

interface Row {
  id: bigint;
  chat: number;
  number: number;
  body: string;
  createdAt: number;
  updatedAt: number;
}

/** How one query finds its documents in one of the two full-text tables. */
interface Matching {
  table: 'search_trigrams' | 'search_grams';
  /** The condition in FTS5's query language. */
  match: string;
  /** Whether what the index finds must be held against the text. */
  verify: boolean;
}

/** The search index in SQLite: FTS5 over folded text. */
export class EmbeddedSearchIndex implements SearchIndex {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.raw.function('contains_folded', { deterministic: true }, (body, folded) =>
      Number(fold(String(body)).includes(String(folded))),
    );
  }

  /**
   * All rows come first and each full-text table in one go: before most other statements SQLite makes FTS5 write out
   * what it has gathered, which row by row was 2.6 times slower (8,300 documents/s against 21,400, 80 characters each).
   */
  async index(documents: SearchDocument[]): Promise<void> {
    this.#database.transaction(() => {
      // Most of a batch are in few chats.
      const ordinals = new Map<string, { application: number; chat: number }>();
      const replaced: bigint[] = [];
      const fresh = new Map<bigint, { application: number; folded: string }>();
      for (const document of documents) {
        const place = `${document.token}/${document.chat}`;
        const { application, chat } = ordinals.get(place) ?? this.#place(document);
        ordinals.set(place, { application, chat });
        const id = documentId(chat, document.number);
        const held = this.#get<{ version: number; live: number }>(
          'SELECT version, body IS NOT NULL AS live FROM search_documents WHERE id = ?',
          id,
        );
        if (held && held.version >= document.version) continue;
        if (held?.live && !fresh.delete(id)) replaced.push(id);
        this.#write(id, application, document);
        if (document.body !== null) fresh.set(id, { application, folded: fold(document.body) });
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
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    const nothing = { matches: [], more: false, total: 0, totalIsMinimum: false };
    // No text has U+0000, and SQLite would end the query there.
    if (query.q.includes('\0')) return nothing;
    const application = this.#get<{ ordinal: number }>(
      'SELECT ordinal FROM search_applications WHERE token = ?',
      query.token,
    )?.ordinal;
    if (application === undefined) return nothing;
    return query.chat === undefined
      ? this.#searchApplication(application, query)
      : this.#searchChat(application, query.chat, query);
  }

  async versions(token: string, chat: number, after: number, limit: number): Promise<DocumentVersion[]> {
    const ordinal = this.#chatOrdinal(token, chat);
    if (ordinal === undefined || after >= largestNumber) return [];
    return this.#database
      .prepare(
        `SELECT id & ${largestNumber} AS number, version FROM search_documents WHERE id > ? AND id <= ?
         ORDER BY id LIMIT ?`,
      )
      .all(
        documentId(ordinal, after),
        documentId(ordinal, Number(largestNumber)),
        limit,
      ) as unknown as DocumentVersion[];
  }

  async document({ token, chat, number }: MessageKey): Promise<SearchDocument | undefined> {
    const ordinal = this.#chatOrdinal(token, chat);
    if (ordinal === undefined) return undefined;
    const held = this.#get<Omit<SearchDocument, keyof MessageKey>>(
      `SELECT version, body, created_at AS createdAt, updated_at AS updatedAt FROM search_documents WHERE id = ?`,
      documentId(ordinal, number),
    );
    return held && { ...held, token, chat, number };
  }

  async purge({ token, chat }: { token: string; chat?: number }, limit: number): Promise<number> {
    const chats = this.#database
      .prepare(
        `SELECT ordinal FROM search_chats WHERE application = (SELECT ordinal FROM search_applications WHERE token = ?)
         AND (?2 IS NULL OR chat = ?2)`,
      )
      .all(token, chat ?? null) as { ordinal: number }[];
    return this.#database.transaction(() => {
      let purged = 0;
      for (const { ordinal } of chats) {
        const ids = this.#database.prepare('SELECT id FROM search_documents WHERE id BETWEEN ? AND ? LIMIT ?');
        ids.setReadBigInts(true);
        const found = ids.all(documentId(ordinal, 0), documentId(ordinal, Number(largestNumber)), limit - purged);
        for (const table of ['search_documents', 'search_trigrams', 'search_grams'])
          for (const { id } of found as { id: bigint }[]) this.#run(`DELETE FROM ${table} WHERE rowid = ?`, id);
        purged += found.length;
        if (purged >= limit) return purged;
        this.#run('DELETE FROM search_chats WHERE ordinal = ?', ordinal);
      }
      if (chat === undefined) this.#run('DELETE FROM search_applications WHERE token = ?', token);
      return purged;
    });
  }

  #write(id: bigint, application: number, { chat, version, body, createdAt, updatedAt }: SearchDocument): void {
    this.#run(
      `INSERT OR REPLACE INTO search_documents (id, application, chat, version, body, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      application,
      chat,
      version,
      body,
      createdAt,
      updatedAt,
    );
  }

  #searchChat(application: number, chat: number, { q, limit, after }: SearchQuery): SearchPage {
    const ordinal = this.#get<{ ordinal: number }>(
      'SELECT ordinal FROM search_chats WHERE application = ? AND chat = ?',
      application,
      chat,
    )?.ordinal;
    if (ordinal === undefined) return { matches: [], more: false, total: 0, totalIsMinimum: false };
    const [first, last] = [documentId(ordinal, 0), documentId(ordinal, Number(largestNumber))];
    const matching = matchingOf(q);
    const rows = this.#rows(
      `${from(matching)} AND t.rowid BETWEEN ? AND ? ORDER BY t.rowid DESC LIMIT ?`,
      ...parameters(matching, q),
      first,
      after ? documentId(ordinal, after.number) - 1n : last,
      limit + 1,
    );
    const total = this.#count(matching, q, 'AND t.rowid BETWEEN ? AND ?', first, last);
    return page(rows, limit, total);
  }

  /**
   * The matches of an application are wanted by time, which is not the order of the index. Few matches are all fetched
   * and sorted; when they are too many to count, they are dense enough to be met by reading the messages backwards.
   */
  #searchApplication(application: number, { q, limit, after }: SearchQuery): SearchPage {
    const matching = matchingOf(q, application);
    const total = this.#count(matching, q, '');
    const older = after ? 'AND (d.created_at, d.chat, d.id & ?) < (?, ?, ?)' : '';
    const position = after ? [largestNumber, after.createdAt, after.chat, after.number] : [];
    const newest = 'ORDER BY d.created_at DESC, d.chat DESC, d.id DESC LIMIT ?';
    const rows =
      total <= limits.exactTotal
        ? this.#rows(`${from(matching)} ${older} ${newest}`, ...parameters(matching, q), ...position, limit + 1)
        : this.#rows(
            `FROM search_documents d WHERE d.application = ? AND d.body IS NOT NULL
             AND contains_folded(d.body, ?) ${older} ${after ? 'AND d.created_at <= ?' : ''} ${newest}`,
            application,
            fold(q),
            ...position,
            ...(after ? [after.createdAt] : []),
            limit + 1,
          );
    return page(rows, limit, total);
  }

  #rows(fromWhere: string, ...values: (string | number | bigint)[]): Row[] {
    return this.#database
      .prepare(
        `SELECT d.chat, d.id & ${largestNumber} AS number, d.body, d.created_at AS createdAt, d.updated_at AS updatedAt
         ${fromWhere}`,
      )
      .all(...values) as unknown as Row[];
  }

  /** Counts the matches, up to one more than are counted exactly. */
  #count(matching: Matching, q: string, where: string, ...values: bigint[]): number {
    const counted = this.#get<{ count: number }>(
      `SELECT count(*) AS count FROM (SELECT 1 ${from(matching, !matching.verify)} ${where} LIMIT ?)`,
      ...parameters(matching, q),
      ...values,
      limits.exactTotal + 1,
    );
    return counted?.count ?? 0;
  }

  #chatOrdinal(token: string, chat: number): number | undefined {
    return this.#get<{ ordinal: number }>(
      `SELECT ordinal FROM search_chats WHERE chat = ?
       AND application = (SELECT ordinal FROM search_applications WHERE token = ?)`,
      chat,
      token,
    )?.ordinal;
  }

  #place({ token, chat }: SearchDocument): { application: number; chat: number } {
    const application = this.#ordinal('search_applications', ['token'], token);
    return { application, chat: this.#ordinal('search_chats', ['application', 'chat'], application, chat) };
  }

  /** The ordinal of an application or chat, given at its first document. */
  #ordinal(table: string, columns: string[], ...values: (string | number)[]): number {
    const where = columns.map((column) => `${column} = ?`).join(' AND ');
    const known = this.#get<{ ordinal: number }>(`SELECT ordinal FROM ${table} WHERE ${where}`, ...values);
    if (known) return known.ordinal;
    const marks = columns.map(() => '?').join(', ');
    return this.#get<{ ordinal: number }>(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks}) RETURNING ordinal`,
      ...values,
    )?.ordinal as number;
  }

  #get<Result>(text: string, ...values: (string | number | bigint | null)[]): Result | undefined {
    return this.#database.prepare(text).get(...values) as Result | undefined;
  }

  #run(text: string, ...values: (string | number | bigint | null)[]): void {
    this.#database.prepare(text).run(...values);
  }
}

function matchingOf(q: string, application?: number): Matching {
  const folded = fold(q);
  const verify = confused.test(folded);
  if ([...folded].length >= 3) {
    const phrase = `body : "${folded.replaceAll('"', '""')}"`;
    const match =
      application === undefined ? phrase : `application : "${applicationTrigram(application)}" AND ${phrase}`;
    return { table: 'search_trigrams', match, verify };
  }
  // The last gram is the longest: the pair, or the only code point.
  const gram = `"${grams(folded).at(-1)}"`;
  const match = application === undefined ? gram : `"${applicationGram(application)}" AND ${gram}`;
  return { table: 'search_grams', match, verify };
}

const from = ({ table, verify }: Matching, indexAlone = false): string =>
  indexAlone
    ? `FROM ${table} t WHERE ${table} MATCH ?`
    : `FROM ${table} t JOIN search_documents d ON d.id = t.rowid WHERE ${table} MATCH ?
       ${verify ? 'AND contains_folded(d.body, ?)' : ''}`;

const parameters = ({ match, verify }: Matching, q: string): string[] => (verify ? [match, fold(q)] : [match]);

const page = (rows: Row[], limit: number, total: number): SearchPage => ({
  matches: rows
    .slice(0, limit)
    .map(({ chat, number, body, createdAt, updatedAt }): SearchMatch => ({ chat, number, body, createdAt, updatedAt })),
  more: rows.length > limit,
  total: Math.min(total, limits.exactTotal),
  totalIsMinimum: total > limits.exactTotal,
});
