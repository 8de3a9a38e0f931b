import { randomInt } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import type { Compilable } from 'kysely';
import { targetOf, type Write } from '../../model/write.ts';
import type { Database } from '../../sqlite/database.ts';
import type { Mark } from '../counting.ts';
import { blankValues, memberColumns, memberValues } from '../sql/members.ts';
import type { Schema } from '../sql/schema.ts';
import { SqlStore } from '../sql/sql-store.ts';
import { setCounts } from './counts.ts';
import { deletionStatement, mergeStatement } from './merge.ts';

const tables = {
  applications: { table: 'applications', key: ['token'], members: memberColumns.applications },
  chats: { table: 'chats', key: ['token', 'number'], members: memberColumns.chats },
  messages: { table: 'messages', key: ['token', 'chat', 'number'], members: memberColumns.messages },
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
  purge: 'INSERT INTO purges (token, chat, due_at, pass) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING',
};

const depth = ({ chat, number }: { chat?: number | undefined; number?: number | undefined }): number =>
  Number(chat !== undefined) + Number(number !== undefined);

/** The store in SQLite. Only one connection writes, so merging needs no locks. */
export class SqliteStore extends SqlStore {
  readonly #database: Database;

  constructor(database: Database) {
    super(database.kysely<Schema>());
    this.#database = database;
  }

  async merge(writes: Write[]): Promise<void> {
    this.#database.transaction(() => {
      const targets = writes.map((write) => ({ write, ...targetOf(write) }));
      // Applications first, messages last, so that nothing is stored below something that the same batch deletes.
      targets.sort((a, b) => depth(a) - depth(b));
      const changed = new Map<string, [token: string, chat: number]>();
      const deleted = new Map<string, boolean>();
      for (const { write, token, chat, number } of targets) {
        const above = number === undefined ? token : `${token}/${chat}`;
        if (chat !== undefined && !deleted.has(above)) deleted.set(above, this.#isDeletedAbove(token, chat, number));
        if (deleted.get(above)) continue;
        this.#mergeOne(write);
        // A message changes its chat's count, a chat its application's.
        const markedChat = number === undefined ? 0 : (chat as number);
        changed.set(`${token}/${markedChat}`, [token, markedChat]);
        // Messages of a new chat may have arrived before it. When they were counted, the chat had no row to hold the
        // count.
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
    const { applications, chats, messages } = memberColumns;
    const { token, at } = write;
    const createdAt = 'revision' in write && write.revision === 0 ? at : null;
    switch (write.kind) {
      case 'application':
        this.#run('application', token, ...memberValues(applications, write, write.revision), createdAt, at);
        break;
      case 'chat':
        this.#run('chat', token, write.chat, ...memberValues(chats, write, write.revision), createdAt, at);
        break;
      case 'message': {
        const values = memberValues(messages, write.content, write.revision);
        this.#run('message', token, write.chat, write.number, ...values, createdAt, at);
        break;
      }
      case 'deletion':
        if (write.chat === undefined) {
          this.#run('deleteApplication', token, ...blankValues(applications), at);
          this.#run('purge', token, 0, at);
        } else if (write.number === undefined) {
          this.#run('deleteChat', token, write.chat, ...blankValues(chats), at);
          this.#run('purge', token, write.chat, at);
        } else {
          this.#run('deleteMessage', token, write.chat, write.number, ...blankValues(messages), at);
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
