import { randomInt } from 'node:crypto';
import { type Compilable, type CompiledQuery, type Kysely, type Selectable, sql } from 'kysely';
import { limits } from '../../limits.ts';
import { contentMembers, memberRecord, revisionName } from '../../model/content.ts';
import type { ChatKey, Parent } from '../../model/keys.ts';
import type { NumberRange } from '../../model/ranges.ts';
import type { Count, Inventory, MergedParent, MessageVersion, MissingNumber, RowVersions } from '../inventory.ts';
import { PreparedQuery } from './prepared-query.ts';
import type { NotExisting, Schema } from './schema.ts';

const mergedParent = (
  row: Pick<Selectable<Schema['chats']>, (typeof mergedColumns)[number] | (typeof metadataColumns)[number]>,
): MergedParent => ({
  name: row.name,
  metadata: row.metadata,
  revision: Math.max(row.revision, row.metadata_revision),
  deleted: row.deleted === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const mergedColumns = ['name', 'revision', 'deleted', 'created_at', 'updated_at'] as const;
/** The columns that chats have in addition to `mergedColumns`. Applications have no metadata. */
const metadataColumns = ['metadata', 'metadata_revision'] as const;

/** The inventory in SQL, which is the same in all engines. Each query uses a primary key or the index over versions. */
export abstract class SqlInventory implements Inventory {
  protected readonly db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.db = db;
  }

  readonly #version = this.prepared(({ token, chat }: Required<Parent>) =>
    this.db.selectFrom('versions').select('version').where('token', '=', token).where('chat', '=', chat),
  );

  /** Returns a function that executes the query; see {@link PreparedQuery}. */
  protected prepared<Values extends object, Row>(
    build: (values: Values) => Compilable<Row>,
  ): (values: Values) => Promise<Row[]> {
    const query = new PreparedQuery(build);
    return (values) => this.rowsOf(query.with(values));
  }

  /** Executes a query and returns its rows. */
  protected async rowsOf<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    return (await this.db.executeQuery(query)).rows;
  }

  /** Runs the statements, all of them or none. */
  protected abstract inTransaction(statements: Compilable[]): Promise<void>;

  async tokens(limit: number, after = ''): Promise<string[]> {
    const rows = await this.db
      .selectFrom('applications')
      .select('token')
      .where('token', '>', after)
      .orderBy('token')
      .limit(limit)
      .execute();
    return rows.map(({ token }) => token);
  }

  async mergedApplication(token: string): Promise<MergedParent | undefined> {
    const row = await this.db
      .selectFrom('applications')
      .select(mergedColumns)
      .where('token', '=', token)
      .executeTakeFirst();
    return row && mergedParent({ ...row, metadata: null, metadata_revision: 0 });
  }

  async mergedChats(token: string, { from, to }: NumberRange): Promise<Map<number, MergedParent>> {
    const rows = await this.db
      .selectFrom('chats')
      .select(['number', ...mergedColumns, ...metadataColumns])
      .where('token', '=', token)
      .where('number', '>=', from)
      .where('number', '<=', to)
      .execute();
    return new Map(rows.map((row) => [row.number, mergedParent(row)]));
  }

  async highestNumbers(parents: Parent[]): Promise<number[]> {
    const highest: number[] = [];
    for (const parent of parents) highest.push(await this.#highest(parent, '<='));
    return highest;
  }

  numberOutOfBounds(parent: Parent): Promise<number> {
    return this.#highest(parent, '>');
  }

  async #highest(parent: Parent, range: '<=' | '>'): Promise<number> {
    if (parent.chat !== undefined) return this.#last({ table: 'messages', column: 'number' }, range, parent);
    // The messages of a chat may be stored before the chat itself.
    return Math.max(
      await this.#last({ table: 'chats', column: 'number' }, range, parent),
      await this.#last({ table: 'messages', column: 'chat' }, range, parent),
    );
  }

  async #last(
    { table, column }: { table: 'chats' | 'messages'; column: 'number' | 'chat' },
    range: '<=' | '>',
    { token, chat }: Parent,
  ): Promise<number> {
    const row = await this.db
      .selectFrom(table)
      .select(sql<number>`${sql.ref(column)}`.as('last'))
      .where('token', '=', token)
      .$if(chat !== undefined, (query) => query.where(sql.ref('chat'), '=', chat))
      .where(sql.ref(column), range, limits.highestNumber)
      .orderBy(sql.ref(column), 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.last ?? 0;
  }

  async messageVersions({ token, chat }: ChatKey, { from, to }: NumberRange): Promise<MessageVersion[]> {
    const rows = await this.db
      .selectFrom('messages')
      .select(['number', 'deleted', 'created_at', ...contentMembers.map(revisionName)])
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '>=', from)
      .where('number', '<=', to)
      .orderBy('number')
      .execute();
    return rows.map((row) => ({
      number: row.number,
      revisions: memberRecord((member) => row[revisionName(member)]),
      deleted: row.deleted === 1,
      created: row.created_at !== null,
    }));
  }

  async count(parent: Parent): Promise<Count | undefined> {
    const { token, chat } = parent;
    const row = await (chat === undefined
      ? this.db.selectFrom('applications').select('chats_count as count').where('token', '=', token)
      : this.db
          .selectFrom('chats')
          .select('messages_count as count')
          .where('token', '=', token)
          .where('number', '=', chat)
    ).executeTakeFirst();
    if (!row) return undefined;
    const { deleted, voids, filled } = await this.#notExisting(parent);
    // Read last: a write that changed the rows above has also set the mark.
    const marked = await this.db
      .selectFrom('rollup_marks')
      .select('version')
      .where('token', '=', token)
      .where('chat', '=', chat ?? 0)
      .executeTakeFirst();
    return { count: row.count, notExisting: deleted + voids - filled, marked: marked !== undefined };
  }

  /** Returns the number of deleted rows, of void numbers, and of void numbers that have a row. */
  async #notExisting({ token, chat = 0 }: Parent): Promise<NotExisting> {
    const table = chat === 0 ? 'chats' : 'messages';
    const { deleted } = await this.db
      .selectFrom(table)
      .select((row) => row.fn.countAll<number>().as('deleted'))
      .where('token', '=', token)
      .where('deleted', '=', 1)
      .$if(chat !== 0, (query) => query.where(sql.ref('chat'), '=', chat))
      .executeTakeFirstOrThrow();
    const { rows } = await sql<{ voids: number; filled: number }>`
      SELECT count(*) AS voids, count(r.number) AS filled
      FROM missing_numbers AS v LEFT JOIN ${sql.table(table)} AS r
        ON r.token = v.token AND r.number = v.number AND (r.deleted = 1 OR r.created_at IS NOT NULL)
        ${chat === 0 ? sql`` : sql`AND r.chat = v.chat`}
      WHERE v.token = ${token} AND v.chat = ${chat} AND v.void = 1`.execute(this.db);
    return { deleted: Number(deleted), voids: Number(rows[0]?.voids), filled: Number(rows[0]?.filled) };
  }

  async rowVersions({ token, chat = 0 }: Parent): Promise<RowVersions> {
    const table = chat === 0 ? 'chats' : 'messages';
    const highest: number[] = [];
    // One query for each range of the index over versions.
    for (const deleted of [0, 1]) {
      const last = await this.db
        .selectFrom(table)
        .select('version')
        .where('token', '=', token)
        .$if(chat !== 0, (query) => query.where(sql.ref('chat'), '=', chat))
        .where('deleted', '=', deleted)
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      highest.push(last?.version ?? 0);
    }
    // Read last: a write that changed rows meanwhile has raised the version too.
    return { version: await this.version({ token, chat }), highest: Math.max(...highest) };
  }

  async version({ token, chat = 0 }: Parent): Promise<number> {
    const [row] = await this.#version({ token, chat });
    return row?.version ?? 0;
  }

  async raiseVersion({ token, chat = 0 }: Parent, version: number): Promise<void> {
    const raise = this.db
      .updateTable('versions')
      .set({ version })
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('version', '<', version);
    const known = sql`SELECT 1 FROM versions WHERE token = ${token} AND chat = ${chat}`;
    const insert = sql`INSERT INTO versions (token, chat, version)
      SELECT token, chat, version FROM (SELECT ${token} AS token, ${chat} AS chat, ${version} AS version) AS missing
      WHERE NOT EXISTS (${known})`;
    await this.inTransaction([raise, { compile: () => insert.compile(this.db) }]);
  }

  async recount(parent: Parent): Promise<void> {
    const { token, chat } = parent;
    const resetCounted =
      chat === undefined
        ? this.db.updateTable('applications').set({ counted: 0 }).where('token', '=', token)
        : this.db.updateTable('chats').set({ counted: 0 }).where('token', '=', token).where('number', '=', chat);
    await this.inTransaction([resetCounted, this.#marking(parent)]);
  }

  #marking({ token, chat = 0 }: Parent) {
    return this.db.replaceInto('rollup_marks').values({ token, chat, version: randomInt(2 ** 47) });
  }

  async missing({ token, chat = 0 }: Parent, { from, to }: NumberRange): Promise<MissingNumber[]> {
    const rows = await this.db
      .selectFrom('missing_numbers')
      .select(['number', 'noticed_at', 'void'])
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', '>=', from)
      .where('number', '<=', to)
      .orderBy('number')
      .execute();
    return rows.map((row) => ({ number: row.number, noticedAt: row.noticed_at, void: row.void === 1 }));
  }

  async noteMissing({ token, chat = 0 }: Parent, numbers: number[], noticedAt: number): Promise<void> {
    if (numbers.length === 0) return;
    await this.db
      .replaceInto('missing_numbers')
      .values(numbers.map((number) => ({ token, chat, number, noticed_at: noticedAt, void: 0 })))
      .execute();
  }

  async forgetMissing({ token, chat = 0 }: Parent, numbers: number[]): Promise<void> {
    if (numbers.length === 0) return;
    await this.db
      .deleteFrom('missing_numbers')
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', 'in', numbers)
      .where('void', '=', 0)
      .execute();
  }

  async recordVoid(parent: Parent, numbers: number[]): Promise<void> {
    if (numbers.length === 0) return;
    const { token, chat = 0 } = parent;
    const voiding = this.db
      .updateTable('missing_numbers')
      .set({ void: 1 })
      .where('token', '=', token)
      .where('chat', '=', chat)
      .where('number', 'in', numbers);
    await this.inTransaction([voiding, this.#marking(parent)]);
  }
}
