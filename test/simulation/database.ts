import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  SqliteAdapter,
  SqliteQueryCompiler,
} from 'kysely';
import { Unavailable } from '../../lib/model/errors.ts';
import type { Version } from '../../lib/model/version.ts';
import type { Write } from '../../lib/model/write.ts';
import { searchMigrations } from '../../lib/search/sqlite/schema.ts';
import { Database } from '../../lib/sqlite/database.ts';
import type { Mark } from '../../lib/store/counting.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import type { Process } from './process.ts';

// Simulates the SQL server with SQLite in memory, so that the store's own statements run. Each statement is a network
// call, and other calls may happen in between.

export const failure = (kind: string): Error => new Unavailable(new Error(kind));

let kept: Database | undefined;

/** Returns an empty database. It is reused, because creating one takes longer than most simulations. */
export async function emptyDatabase(): Promise<Database> {
  if (!kept) {
    kept = Database.open(':memory:');
    await kept.migrate({ store: storeMigrations, search: searchMigrations });
  }
  const { raw } = kept;
  const tables = raw.prepare(
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')",
  );
  for (const { name } of tables.all()) if (!/^sqlite_|_migrations/.test(String(name))) raw.exec(`DELETE FROM ${name}`);
  return kept;
}

/**
 * The store as a process reaches it. Each statement is a call. A merge and a page of counts are one call each, because
 * each is one transaction.
 */
export class SimulatedStore extends SqliteStore {
  readonly #process: Process;

  constructor(process: Process, database: Database) {
    const remote: Pick<Database, 'prepare' | 'rows' | 'transaction' | 'kysely'> = {
      prepare: (sql) => database.prepare(sql),
      rows: (sql, parameters) => database.rows(sql, parameters),
      transaction: (work) => database.transaction(work),
      kysely: <Schema>() => remoteKysely<Schema>(process, database.kysely<Schema>()),
    };
    super(remote as Database);
    this.#process = process;
  }

  override merge(writes: Write[]): Promise<Version[]> {
    return this.#process.call('sql', () => super.merge(writes), failure);
  }

  protected override rowsOf<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
    return this.#process.call('sql', () => super.rowsOf(query), failure);
  }

  override setCounts(marks: Mark[], highestNumbers: (number | undefined)[]): Promise<void> {
    return this.#process.call('sql', () => super.setCounts(marks, highestNumbers), failure);
  }
}

function remoteKysely<Schema>(process: Process, local: Kysely<Schema>): Kysely<Schema> {
  const connection: DatabaseConnection = {
    executeQuery: <Row>(query: CompiledQuery) =>
      process.call('sql', () => local.executeQuery<Row>(query as CompiledQuery<Row>), failure),
    streamQuery: () => {
      throw new Error('no query is streamed');
    },
  };
  const driver: Driver = {
    init: async () => undefined,
    acquireConnection: async () => connection,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
    beginTransaction: async () => {
      throw new Error('a transaction is one call');
    },
    commitTransaction: async () => undefined,
    rollbackTransaction: async () => undefined,
  };
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createIntrospector: () => local.introspection,
    },
  });
}
