import { randomInt } from 'node:crypto';
import type { Version } from '../../model/version.ts';
import type { Write } from '../../model/write.ts';
import type { Database } from '../../sqlite/database.ts';
import { parentOf } from '../sql/rows.ts';

/** A chat or, with `chat` 0, the list of an application's chats. The writes of a batch may raise its version. */
export interface BatchParent {
  token: string;
  chat: number;
  /** Whether it, or its application, is deleted, so that nothing below it is stored. */
  deleted: boolean;
  /** The version that the batch makes, if it changes a row. */
  version: number;
  /** Whether the batch changed a row. */
  changed: boolean;
  /** The writes to its messages, which are to be merged. */
  messages: { write: Write; number: number }[];
}

const statements = {
  // One statement instead of three: a batch may have the messages of a hundred chats.
  parent: `SELECT
    EXISTS (SELECT 1 FROM applications WHERE token = ?1 AND deleted = 1)
      OR EXISTS (SELECT 1 FROM chats WHERE token = ?1 AND number = ?2 AND deleted = 1) AS deleted,
    coalesce((SELECT version FROM versions WHERE token = ?1 AND chat = ?2), 0) AS version`,
  mark: `INSERT INTO rollup_marks (token, chat, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version`,
  version: `INSERT INTO versions (token, chat, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version`,
};

/**
 * The applications and chats with writes in a batch. Each is read once. They are in nested maps, because joining token
 * and chat to one string for each look-up took a tenth of the time of merging.
 */
export class Parents {
  readonly #database: Database;
  readonly #known = new Map<string, Map<number, BatchParent>>();
  readonly #marked = new Map<string, Set<number>>();
  #last: BatchParent | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Returns the parent. The first call for a parent reads whether it is deleted. So the deletions in the batch itself
   * must be merged earlier: those of applications before any call, and those of chats before a call for a chat.
   */
  of(token: string, chat: number): BatchParent {
    if (this.#last?.token === token && this.#last.chat === chat) return this.#last;
    const ofToken = this.#known.get(token) ?? new Map<number, BatchParent>();
    if (ofToken.size === 0) this.#known.set(token, ofToken);
    let parent = ofToken.get(chat);
    if (!parent) {
      const row = this.#database.prepare(statements.parent).get(token, chat) as { deleted: number; version: number };
      parent = { token, chat, deleted: row.deleted === 1, version: row.version + 1, changed: false, messages: [] };
      ofToken.set(chat, parent);
      if (!parent.deleted) this.mark(token, chat);
    }
    this.#last = parent;
    return parent;
  }

  /** Returns the parents that were used, grouped by application. */
  *all(): Generator<BatchParent> {
    for (const ofToken of this.#known.values()) yield* ofToken.values();
  }

  /** Marks an application or chat, whose count may have changed, for the roll-up. */
  mark(token: string, chat: number): void {
    const chats = this.#marked.get(token) ?? new Set<number>();
    if (chats.size === 0) this.#marked.set(token, chats);
    chats.add(chat);
  }

  /** Stores the marks, and the versions of the parents with rows that changed. Returns these versions. */
  end(): Version[] {
    const mark = this.#database.prepare(statements.mark);
    for (const [token, chats] of this.#marked) for (const chat of chats) mark.run(token, chat, randomInt(2 ** 47));
    const setVersion = this.#database.prepare(statements.version);
    const versions: Version[] = [];
    for (const { token, chat, version, changed } of this.all())
      if (changed) {
        setVersion.run(token, chat, version);
        versions.push({ ...parentOf({ token, chat }), version });
      }
    return versions;
  }
}
