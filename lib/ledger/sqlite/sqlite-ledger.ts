import { limits } from '../../limits.ts';
import { isNumber } from '../../model/bounds.ts';
import type { ChatChange, ChatContent, ContentChange, MessageContent } from '../../model/content.ts';
import { KeyReused, NotFound, NumbersUsedUp, RevisionsUsedUp, Unavailable } from '../../model/errors.ts';
import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import { newToken } from '../../model/token.ts';
import { encodeWrite } from '../../queue/records.ts';
import type { SqliteQueue } from '../../queue/sqlite/sqlite-queue.ts';
import { isSqliteOutage } from '../../sqlite/database.ts';
import type { GroupCommit } from '../../sqlite/group-commit.ts';
import { steadyClock } from '../../steady-clock.ts';
import { numberOrNone, requireEntryInBounds, requireMessageInBounds } from '../bounds.ts';
import type { ChangedMessage, CreateContext, Edited, EntryTimes, Ledger, WholeEntry, WriteContext } from '../ledger.ts';
import { MessageNumbers } from './message-numbers.ts';
import { SqliteOutbox } from './outbox.ts';
import {
  asReal,
  changedMessageIn,
  deletedMessagesIn,
  entryIn,
  restoreChangedMessage,
  restoreEntry,
  tokensIn,
} from './restore.ts';

/** The ledger in one SQLite file. One transaction takes the number, queues the write and stores the idempotency key. */
export class SqliteLedger implements Ledger {
  readonly #commits: GroupCommit;
  readonly #outbox: SqliteOutbox;
  readonly #numbers: MessageNumbers;
  readonly #now: () => number;
  /** The clock of `idempotency_keys.expires_at`. */
  readonly #steady: () => number;

  /**
   * @param clocks.now the system's clock, in milliseconds since 1970, for the times of creations and edits
   * @param clocks.elapsed the monotonic clock, in milliseconds. Idempotency keys expire by it, because a system clock
   *   that is set forward must not let a retry create a second message
   */
  constructor(
    commits: GroupCommit,
    storeQueue: SqliteQueue,
    { now = Date.now, elapsed }: { now?: (() => number) | undefined; elapsed?: (() => number) | undefined } = {},
  ) {
    this.#commits = commits;
    this.#outbox = new SqliteOutbox(commits, storeQueue);
    this.#numbers = new MessageNumbers(commits);
    this.#now = now;
    const newest = this.#row<{ expires_at: number }>(
      'SELECT expires_at FROM idempotency_keys ORDER BY expires_at DESC LIMIT 1',
    );
    // The clock continues from the time at which the newest key was stored.
    this.#steady = steadyClock(newest ? newest.expires_at - limits.idempotencyMs : 0, elapsed);
  }

  createApplication(name: string, context?: CreateContext) {
    return this.#once(context, (at) => {
      const token = newToken();
      this.#run(
        'INSERT INTO applications (token, name, created_at, updated_at) VALUES (?, ?, ?, ?)',
        token,
        name,
        at,
        at,
      );
      this.#outbox.add(encodeWrite({ kind: 'application', token, revision: 0, at, name }));
      return { token, at };
    });
  }

  createChat(token: string, { name, metadata }: ChatContent, context?: CreateContext) {
    return this.#once(context, (at) => {
      const taken = this.#row<{ chats: number }>(
        'UPDATE applications SET chats = chats + 1 WHERE token = ? AND deleted = 0 AND chats < ? RETURNING chats',
        token,
        limits.highestNumber,
      );
      if (!taken) {
        this.#requireApplication(token);
        throw new NumbersUsedUp('application');
      }
      const number = taken.chats;
      this.#run(
        'INSERT INTO chats (token, number, name, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
        token,
        number,
        name,
        metadata,
        at,
        at,
      );
      this.#outbox.add(encodeWrite({ kind: 'chat', token, chat: number, revision: 0, at, name, metadata }));
      return { number, at };
    });
  }

  createMessages({ token, chat }: ChatKey, contents: MessageContent[], context: CreateContext = {}) {
    const accept = (at: number) => {
      const first = this.#numbers.take({ token, chat }, contents.length);
      if (first === undefined) {
        this.#requireChat(token, chat);
        throw new NumbersUsedUp('chat');
      }
      // A create with a key has a savepoint. Write the counter within it, so that a rollback to it undoes the numbers.
      if (context.key) this.#numbers.write();
      const writeOf = (content: MessageContent, i: number) =>
        encodeWrite({ kind: 'message', token, chat, number: first + i, revision: 0, at, content });
      this.#outbox.add(...contents.map(writeOf));
      return { first, at };
    };
    return context.key ? this.#once(context, accept) : this.#accept(context, accept, 'runStatement');
  }

  editApplication(token: string, name: string, context?: WriteContext) {
    return this.#accept(context, (at): Edited => {
      const row = this.#row<{ revision: number; created_at: number }>(
        `UPDATE applications SET name = ?, revision = revision + 1, updated_at = ?
         WHERE token = ? AND deleted = 0 AND revision < ? RETURNING revision, created_at`,
        name,
        at,
        token,
        limits.highestRevision,
      );
      if (!row) {
        this.#requireApplication(token);
        throw new RevisionsUsedUp('application');
      }
      this.#outbox.add(encodeWrite({ kind: 'application', token, revision: row.revision, at, name }));
      return { createdAt: row.created_at, at };
    });
  }

  editChat({ token, chat }: ChatKey, change: ChatChange, context?: WriteContext) {
    return this.#accept(context, (at): Edited => {
      this.#requireChat(token, chat);
      const row = this.#row<{ revision: number; created_at: number }>(
        `UPDATE chats SET name = iif(?, ?, name), metadata = iif(?, ?, metadata), revision = revision + 1, updated_at = ?
         WHERE token = ? AND number = ? AND deleted = 0 AND revision < ? RETURNING revision, created_at`,
        Number(change.name !== undefined),
        change.name ?? null,
        Number(change.metadata !== undefined),
        change.metadata ?? null,
        at,
        token,
        chat,
        limits.highestRevision,
      );
      if (!row) throw new RevisionsUsedUp('chat');
      this.#outbox.add(encodeWrite({ kind: 'chat', token, chat, revision: row.revision, at, ...change }));
      return { createdAt: row.created_at, at };
    });
  }

  editMessage(message: MessageKey, content: ContentChange, context?: WriteContext) {
    return this.#accept(context, (at) => {
      const { token, chat, number } = message;
      const revision = this.#changeMessage(message, false);
      this.#outbox.add(encodeWrite({ kind: 'message', token, chat, number, revision, at, content }));
      return { at };
    });
  }

  /**
   * Returns the access generation without waiting until it is on the disk, unlike the other reads, because it is called
   * before each request with a bearer token. That is safe, because a crash can undo only what got no response yet: the
   * creation of the application, or the raising of its generation.
   */
  async accessGeneration(token: string): Promise<number | undefined> {
    return this.#row<{ generation: number }>(
      'SELECT access_generation AS generation FROM applications WHERE token = ? AND deleted = 0',
      token,
    )?.generation;
  }

  raiseAccessGeneration(token: string) {
    return this.#accept({}, (at) => {
      const raised = this.#run(
        `UPDATE applications SET access_generation = max(access_generation + 1, ?) WHERE token = ? AND deleted = 0`,
        at,
        token,
      );
      if (raised === 0) throw new NotFound('application');
    });
  }

  deleteApplication(token: string, context?: WriteContext) {
    return this.#accept(context, (at) => {
      if (
        !this.#row(
          "UPDATE applications SET deleted = 1, name = '' WHERE token = ? AND deleted = 0 RETURNING token",
          token,
        )
      )
        throw new NotFound('application');
      this.#outbox.add(encodeWrite({ kind: 'deletion', token, at }));
    });
  }

  deleteChat({ token, chat }: ChatKey, context?: WriteContext) {
    return this.#accept(context, (at) => {
      this.#requireChat(token, chat);
      this.#run(
        'UPDATE chats SET deleted = 1, name = NULL, metadata = NULL WHERE token = ? AND number = ?',
        token,
        chat,
      );
      this.#outbox.add(encodeWrite({ kind: 'deletion', token, chat, at }));
    });
  }

  deleteMessage(message: MessageKey, context?: WriteContext) {
    return this.#accept(context, (at) => {
      const { token, chat, number } = message;
      this.#changeMessage(message, true);
      this.#outbox.add(encodeWrite({ kind: 'deletion', token, chat, number, at }));
    });
  }

  async application(token: string) {
    await this.#commits.synced();
    return this.#row<{ name: string } & EntryTimes>(
      `SELECT name, created_at AS createdAt, updated_at AS updatedAt FROM applications
       WHERE token = ? AND deleted = 0`,
      token,
    );
  }

  async chat(token: string, chat: number) {
    await this.#commits.synced();
    if (!this.hasApplication(token)) return undefined;
    return this.#row<ChatContent & EntryTimes>(
      `SELECT name, metadata, created_at AS createdAt, updated_at AS updatedAt FROM chats
       WHERE token = ? AND number = ? AND deleted = 0`,
      token,
      chat,
    );
  }

  async hasMessage(token: string, chat: number, number: number): Promise<boolean> {
    await this.#commits.synced();
    if (!isNumber(number) || !this.hasApplication(token)) return false;
    const accepted = this.#row(
      'SELECT 1 FROM chats WHERE token = ? AND number = ? AND deleted = 0 AND messages >= ?',
      token,
      numberOrNone(chat),
      number,
    );
    const deleted = this.#row(
      'SELECT 1 FROM changed_messages WHERE token = ? AND chat = ? AND number = ? AND deleted = 1',
      token,
      chat,
      number,
    );
    return accepted !== undefined && deleted === undefined;
  }

  async counters(parents: Parent[]): Promise<(number | undefined)[]> {
    await this.#commits.synced();
    return parents.map(({ token, chat }) =>
      chat === undefined
        ? this.#row<{ chats: number }>(`SELECT ${asReal('chats')} FROM applications WHERE token = ?`, token)?.chats
        : this.#row<{ messages: number }>(
            `SELECT ${asReal('messages')} FROM chats WHERE token = ? AND number = ?`,
            token,
            chat,
          )?.messages,
    );
  }

  purge({ token, chat }: Parent, limit: number): Promise<number> {
    return this.#commits.run(() => {
      const below = chat === undefined ? ['token = ?', token] : ['token = ? AND chat = ?', token, chat];
      const [where, ...values] = below as [string, ...(string | number)[]];
      let removed = this.#run(
        `DELETE FROM changed_messages WHERE (token, chat, number) IN
           (SELECT token, chat, number FROM changed_messages WHERE ${where} LIMIT ?)`,
        ...values,
        limit,
      );
      if (chat === undefined && removed < limit)
        removed += this.#run(
          'DELETE FROM chats WHERE (token, number) IN (SELECT token, number FROM chats WHERE token = ? LIMIT ?)',
          token,
          limit - removed,
        );
      return removed;
    });
  }

  tokens(): AsyncIterable<string> {
    return tokensIn(this.#commits.database);
  }

  async entries(parents: Parent[]): Promise<(WholeEntry | undefined)[]> {
    return parents.map((parent) => entryIn(this.#commits.database, parent));
  }

  async changedMessages(keys: MessageKey[]): Promise<(ChangedMessage | undefined)[]> {
    return keys.map((key) => changedMessageIn(this.#commits.database, key));
  }

  deletedMessages(chat: ChatKey, limit: number): AsyncIterable<number[]> {
    return deletedMessagesIn(this.#commits.database, chat, limit);
  }

  async restore(entry: WholeEntry): Promise<void> {
    requireEntryInBounds(entry);
    await this.#commits.run(() => restoreEntry(this.#commits.database, entry, this.#now()));
  }

  async restoreMessage(message: ChangedMessage): Promise<void> {
    requireMessageInBounds(message);
    await this.#commits.run(() => restoreChangedMessage(this.#commits.database, message));
  }

  /** Accepts one request in the next group commit. */
  async #accept<T>(
    { requestId }: WriteContext | undefined = {},
    work: (at: number) => T,
    run: 'run' | 'runStatement' = 'run',
  ): Promise<T> {
    try {
      return await this.#commits[run](() => this.#outbox.collectFor(requestId, () => work(this.#now())));
    } catch (error) {
      throw isSqliteOutage(error) ? new Unavailable(error) : error;
    }
  }

  /** Accepts one request or, if its key is known, returns the result of the earlier request. */
  #once<T>(context: CreateContext = {}, work: (at: number) => T): Promise<T> {
    const { key } = context;
    return this.#accept(context, (at) => {
      if (!key) return work(at);
      const steadyNow = this.#steady();
      const known = this.#row<{ payload: string; result: string }>(
        'SELECT payload, result FROM idempotency_keys WHERE id = ? AND expires_at > ?',
        key.id,
        steadyNow,
      );
      if (known && known.payload !== key.payload) throw new KeyReused();
      if (known) return JSON.parse(known.result) as T;
      const result = work(at);
      // Each new key removes up to two expired ones, so the table needs no separate cleanup.
      this.#run(
        'DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE expires_at <= ? LIMIT 2)',
        steadyNow,
      );
      this.#run(
        'INSERT OR REPLACE INTO idempotency_keys (id, payload, result, expires_at) VALUES (?, ?, ?, ?)',
        key.id,
        key.payload,
        JSON.stringify(result),
        steadyNow + limits.idempotencyMs,
      );
      return result;
    });
  }

  /** Takes the message's next revision, or marks the message as deleted. */
  #changeMessage({ token, chat, number }: MessageKey, deleted: boolean): number {
    this.#requireChat(token, chat);
    const assigned = this.#row(
      'SELECT 1 FROM chats WHERE token = ? AND number = ? AND messages >= ?',
      token,
      chat,
      number,
    );
    if (!assigned || !isNumber(number)) throw new NotFound('message', number);
    // A deletion needs no revision, so it is accepted at the highest one, too.
    const changed = this.#row<{ revision: number }>(
      `INSERT INTO changed_messages (token, chat, number, revision, deleted) VALUES (?1, ?2, ?3, 1, ?4)
       ON CONFLICT DO UPDATE SET revision = min(revision + 1, ?5), deleted = ?4
       WHERE deleted = 0 AND (?4 = 1 OR revision < ?5) RETURNING revision`,
      token,
      chat,
      number,
      Number(deleted),
      limits.highestRevision,
    );
    if (changed) return changed.revision;
    const { database } = this.#commits;
    if (changedMessageIn(database, { token, chat, number })?.deleted) throw new NotFound('message', number);
    throw new RevisionsUsedUp('message');
  }

  /** Returns whether the application exists, even if its creation is not on the disk yet. Takes 3 µs. */
  hasApplication(token: string): boolean {
    return this.#row('SELECT 1 FROM applications WHERE token = ? AND deleted = 0', token) !== undefined;
  }

  #requireApplication(token: string): void {
    if (!this.hasApplication(token)) throw new NotFound('application');
  }

  #requireChat(token: string, chat: number): void {
    this.#requireApplication(token);
    const existing = 'SELECT 1 FROM chats WHERE token = ? AND number = ? AND deleted = 0';
    if (!this.#row(existing, token, numberOrNone(chat))) throw new NotFound('chat', chat);
  }

  #row<Row>(text: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#commits.database.prepare(text).get(...values) as Row | undefined;
  }

  #run(text: string, ...values: (string | number | null)[]): number {
    return Number(this.#commits.database.prepare(text).run(...values).changes);
  }
}
