import { randomInt } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import type { Compilable } from 'kysely';
import { targetOf, type Write } from '../../model/write.ts';
import type { Database } from '../../sqlite/database.ts';
import type { Schema } from '../sql/schema.ts';
import { SqlStore } from '../sql/sql-store.ts';
import type { Mark } from '../store.ts';
import { setCounts } from './counts.ts';

/** A row that came first is completed by its creation; a higher revision replaces it; a deleted one stays as it is. */
const merging = (content: 'name' | 'body') => `
  ON CONFLICT DO UPDATE SET
    created_at = coalesce(created_at, excluded.created_at),
    ${content} = iif(excluded.revision > revision, excluded.${content}, ${content}),
    updated_at = iif(excluded.revision > revision, excluded.updated_at, updated_at),
    revision = max(excluded.revision, revision)
  WHERE deleted = 0`;

const statements = {
  application: `INSERT INTO applications (token, name, revision, deleted, created_at, updated_at)
    VALUES (?, ?, ?, 0, ?, ?) ${merging('name')}`,
  chat: `INSERT INTO chats (token, number, name, revision, deleted, created_at, updated_at)
    VALUES (?, ?, ?, ?, 0, ?, ?) ${merging('name')}`,
  message: `INSERT INTO messages (token, chat, number, body, revision, deleted, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, 0, ?, ?) ${merging('body')}`,
  deleteApplication: `INSERT INTO applications (token, name, revision, deleted, updated_at) VALUES (?, '', 0, 1, ?)
    ON CONFLICT DO UPDATE SET deleted = 1, name = ''`,
  deleteChat: `INSERT INTO chats (token, number, name, revision, deleted, updated_at) VALUES (?, ?, NULL, 0, 1, ?)
    ON CONFLICT DO UPDATE SET deleted = 1, name = NULL`,
  deleteMessage: `INSERT INTO messages (token, chat, number, body, revision, deleted, updated_at)
    VALUES (?, ?, ?, '', 0, 1, ?) ON CONFLICT DO UPDATE SET deleted = 1, body = ''`,
  isDeletedApplication: 'SELECT 1 FROM applications WHERE token = ? AND deleted = 1',
  isDeletedChat: 'SELECT 1 FROM chats WHERE token = ? AND number = ? AND deleted = 1',
  mark: `INSERT INTO rollup_marks (token, chat, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version`,
  purge: 'INSERT INTO purges (token, chat, due_at, pass) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING',
};

const depth = ({ chat, number }: { chat?: number | undefined; number?: number | undefined }): number =>
  Number(chat !== undefined) + Number(number !== undefined);

/** The store in SQLite. One connection alone writes, so merging needs no locks. */
export class SqliteStore extends SqlStore {
  readonly #database: Database;

  constructor(database: Database) {
    super(database.kysely<Schema>());
    this.#database = database;
  }

  async merge(writes: Write[]): Promise<void> {
    this.#database.transaction(() => {
      const targets = writes.map((write) => ({ write, ...targetOf(write) }));
      // What is above comes first, so that nothing is stored below something that this very batch deletes.
      targets.sort((a, b) => depth(a) - depth(b));
      const changed = new Map<string, [token: string, chat: number]>();
      const deleted = new Map<string, boolean>();
      for (const { write, token, chat, number } of targets) {
        const above = number === undefined ? token : `${token}/${chat}`;
        if (chat !== undefined && !deleted.has(above)) deleted.set(above, this.#isDeletedAbove(token, chat, number));
        if (deleted.get(above)) continue;
        this.#mergeOne(write);
        // A message changes its chat's count, a chat its application's.
        const counted = number === undefined ? 0 : (chat as number);
        changed.set(`${token}/${counted}`, [token, counted]);
        // What is below a new chat may have come first, and been counted when there was no row to keep the count.
        if (write.kind === 'chat') changed.set(`${token}/${write.chat}`, [token, write.chat]);
      }
      for (const [token, chat] of changed.values()) this.#run('mark', token, chat, randomInt(2 ** 47));
    });
  }

  async setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
    setCounts(this.#database, marks, highestNumbers);
  }

  protected override async together(statements: Compilable[]): Promise<void> {
    this.#database.transaction(() => {
      for (const statement of statements) {
        const { sql, parameters } = statement.compile();
        this.#database.prepare(sql).run(...(parameters as SQLInputValue[]));
      }
    });
  }

  #isDeletedAbove(token: string, chat: number, number: number | undefined): boolean {
    return (
      this.#has('isDeletedApplication', token) || (number !== undefined && this.#has('isDeletedChat', token, chat))
    );
  }

  #mergeOne(write: Write): void {
    const { token, at } = write;
    const createdAt = 'revision' in write && write.revision === 0 ? at : null;
    switch (write.kind) {
      case 'application':
        this.#run('application', token, write.name, write.revision, createdAt, at);
        break;
      case 'chat':
        this.#run('chat', token, write.chat, write.name, write.revision, createdAt, at);
        break;
      case 'message':
        this.#run('message', token, write.chat, write.number, write.body, write.revision, createdAt, at);
        break;
      case 'deletion':
        if (write.chat === undefined) {
          this.#run('deleteApplication', token, at);
          this.#run('purge', token, 0, at);
        } else if (write.number === undefined) {
          this.#run('deleteChat', token, write.chat, at);
          this.#run('purge', token, write.chat, at);
        } else {
          this.#run('deleteMessage', token, write.chat, write.number, at);
        }
    }
  }

  #has(statement: keyof typeof statements, ...values: (string | number)[]): boolean {
    return this.#database.prepare(statements[statement]).get(...values) !== undefined;
  }

  #run(statement: keyof typeof statements, ...values: (string | number | null)[]): void {
    this.#database.prepare(statements[statement]).run(...values);
  }
}
