import { randomInt } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { type Compilable, type Selectable, sql } from 'kysely';
import type { Version } from '../../model/version.ts';
import { targetOf, type Write } from '../../model/write.ts';
import type { Database } from '../../sqlite/database.ts';
import type { Step } from '../changes.ts';
import type { Mark } from '../counting.ts';
import { blankValues, memberColumns, memberValues } from '../sql/members.ts';
import { parentOf } from '../sql/rows.ts';
import type { Schema } from '../sql/schema.ts';
import { chatChange, messageChange } from '../sql/sql-changes.ts';
import { SqlStore } from '../sql/sql-store.ts';
import { setCounts } from './counts.ts';
import { deletionStatement, mergeStatement } from './merge.ts';

const tables = {
  applications: { table: 'applications', key: ['token'], members: memberColumns.applications, versioned: false },
  chats: { table: 'chats', key: ['token', 'number'], members: memberColumns.chats, versioned: true },
  messages: { table: 'messages', key: ['token', 'chat', 'number'], members: memberColumns.messages, versioned: true },
};

const statements = {
  application: mergeStatement(tables.applications),
  chat: mergeStatement(tables.chats),
  message: mergeStatement(tables.messages),
  deleteApplication: deletionStatement(tables.applications),
  deleteChat: deletionStatement(tables.chats),
  deleteMessage: deletionStatement(tables.messages),
  isDeletedApplication: 'SELECT 1 FROM applications WHERE token = ? AND deleted = 1',
  isDeletedChat: 'SELECT 1 FROM chats WHERE token = ? AND number = ? AND deleted = 1',
  mark: `INSERT INTO rollup_marks (token, chat, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version`,
  version: 'SELECT version FROM versions WHERE token = ? AND chat = ?',
  setVersion: `INSERT INTO versions (token, chat, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version`,
  changedChats: `SELECT * FROM chats WHERE token = ? AND version = ? AND (deleted = 1 OR created_at IS NOT NULL)
    ORDER BY number`,
  changedMessages: `SELECT * FROM messages
    WHERE token = ? AND chat = ? AND version = ? AND (deleted = 1 OR created_at IS NOT NULL) ORDER BY number`,
  purge: 'INSERT INTO purges (token, chat, due_at, pass) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING',
};

const depth = ({ chat, number }: { chat?: number | undefined; number?: number | undefined }): number =>
  Number(chat !== undefined) + Number(number !== undefined);

/** A chat (0 for the application) with writes in a batch, and the version that they make if they change a row. */
interface Raised {
  token: string;
  chat: number;
  version: number;
  /** Whether a row changed. */
  changed: boolean;
}

/** The store in SQLite. Only one connection writes, so merging needs no locks. */
export class SqliteStore extends SqlStore {
  readonly #database: Database;

  constructor(database: Database) {
    super(database.kysely<Schema>());
    this.#database = database;
  }

  async merge(writes: Write[]): Promise<Version[]> {
    return this.#database.transaction(() => {
      const targets = writes.map((write) => ({ write, ...targetOf(write) }));
      // Applications first, messages last, so that nothing is stored below something that the same batch deletes.
      targets.sort((a, b) => depth(a) - depth(b));
      const marked = new Map<string, [token: string, chat: number]>();
      const raised = new Map<string, Raised>();
      const deleted = new Map<string, boolean>();
      for (const { write, token, chat, number } of targets) {
        const above = number === undefined ? token : `${token}/${chat}`;
        if (chat !== undefined && !deleted.has(above)) deleted.set(above, this.#isDeletedAbove(token, chat, number));
        if (deleted.get(above)) continue;
        // A message changes its chat's count and version, a chat its application's.
        const parent = number === undefined ? 0 : (chat as number);
        const name = number === undefined ? `${token}/0` : above;
        let next = raised.get(name);
        if (!next) {
          next = { token, chat: parent, version: this.#version(token, parent) + 1, changed: false };
          raised.set(name, next);
          marked.set(name, [token, parent]);
        }
        if (this.#mergeOne(write, next.version) && chat !== undefined) next.changed = true;
        // Messages of a new chat may have arrived before it. When they were counted, the chat had no row to hold the
        // count.
        if (write.kind === 'chat') marked.set(`${token}/${write.chat}`, [token, write.chat]);
      }
      for (const [token, chat] of marked.values()) this.#run('mark', token, chat, randomInt(2 ** 47));
      const changed = [...raised.values()].filter((each) => each.changed);
      for (const { token, chat, version } of changed) this.#run('setVersion', token, chat, version);
      return changed.map(({ token, chat, version }) => ({ ...parentOf({ token, chat }), version }));
    });
  }

  async steps(versions: Version[]): Promise<Step[]> {
    return versions.map(({ token, chat, version }) => {
      if (chat === undefined) {
        const rows = this.#database.prepare(statements.changedChats).all(token, version);
        return { token, version, changes: (rows as unknown as Selectable<Schema['chats']>[]).map(chatChange) };
      }
      const rows = this.#database.prepare(statements.changedMessages).all(token, chat, version);
      return { token, chat, version, changes: (rows as unknown as Schema['messages'][]).map(messageChange) };
    });
  }

  async setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
    setCounts(this.#database, marks, highestNumbers);
  }

  protected override using(index: string) {
    return sql`INDEXED BY ${sql.ref(index)}`;
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

  #version(token: string, chat: number): number {
    return Number(this.#database.prepare(statements.version).get(token, chat)?.version ?? 0);
  }

  /** Returns whether the write changed a row. */
  #mergeOne(write: Write, version: number): boolean {
    const { applications, chats, messages } = memberColumns;
    const { token, at } = write;
    const createdAt = 'revision' in write && write.revision === 0 ? at : null;
    switch (write.kind) {
      case 'application':
        return this.#run('application', token, ...memberValues(applications, write, write.revision), createdAt, at);
      case 'chat': {
        const values = memberValues(chats, write, write.revision);
        return this.#run('chat', token, write.chat, ...values, createdAt, at, version);
      }
      case 'message': {
        const values = memberValues(messages, write.content, write.revision);
        return this.#run('message', token, write.chat, write.number, ...values, createdAt, at, version);
      }
      case 'deletion':
        if (write.number !== undefined)
          return this.#run(
            'deleteMessage',
            token,
            write.chat as number,
            write.number,
            ...blankValues(messages),
            at,
            version,
          );
        this.#run('purge', token, write.chat ?? 0, at);
        return write.chat === undefined
          ? this.#run('deleteApplication', token, ...blankValues(applications), at)
          : this.#run('deleteChat', token, write.chat, ...blankValues(chats), at, version);
    }
  }

  #has(statement: keyof typeof statements, ...values: (string | number)[]): boolean {
    return this.#database.prepare(statements[statement]).get(...values) !== undefined;
  }

  /** Returns whether the statement changed a row. */
  #run(statement: keyof typeof statements, ...values: (string | number | null)[]): boolean {
    return this.#database.prepare(statements[statement]).run(...values).changes > 0;
  }
}
