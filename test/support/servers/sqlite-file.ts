import path from 'node:path';
import { Database, type DatabaseSchema } from '../../../lib/sqlite/database.ts';
import { newDataDir, removeDataDir } from './host.ts';

/** A database in a file, in a folder of its own. */
export interface SqliteFile {
  path: string;
  database: Database;
  /** Closes the file and opens it again, as a restart does. */
  reopen: () => Promise<SqliteFile>;
  /** Closes the file and removes its folder. */
  remove: () => void;
}

export async function openSqliteFile(schema: DatabaseSchema, folder = newDataDir()): Promise<SqliteFile> {
  const file = path.join(folder, 'test.db');
  const database = Database.open(file);
  await database.migrate(schema);
  return {
    path: file,
    database,
    reopen: () => {
      database.close();
      return openSqliteFile(schema, folder);
    },
    remove: () => {
      database.close();
      removeDataDir(folder);
    },
  };
}
