import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { limits } from '../../../lib/limits.ts';
import { openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { isRoot, makeFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
import { run, type Say } from '../run.ts';
import type { NativeServer } from './native-server.ts';

/** The user that Debian's package creates for the server, which refuses to run as root. */
const userInsteadOfRoot = 'mysql';

/**
 * Returns the statements to run at each start. They create the database and its user with this checkout's password,
 * which no flag can do.
 */
const accounts = (password: string): string => `
CREATE DATABASE IF NOT EXISTS chat;
CREATE USER IF NOT EXISTS chat@'${loopback}';
ALTER USER chat@'${loopback}' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO chat@'${loopback}' WITH GRANT OPTION;
`;

/** A MariaDB server with its data in the folder. It is ready when the user `chat` can use the database `chat`. */
export const mariadb = (folder: string, port: number, password: string): NativeServer => ({
  prepare: async (say) => {
    const user = isRoot ? userInsteadOfRoot : userInfo().username;
    const owner = isRoot ? await idsOf(userInsteadOfRoot) : undefined;
    const data = path.join(folder, 'data');
    makeFolder(folder);
    if (!existsSync(data)) await initialise(data, user, owner, say);

    // Only the server's user may read this file, because it contains the password.
    const init = path.join(folder, 'accounts.sql');
    writeFileSync(init, accounts(password), { mode: 0o600 });
    // A starting server deletes all temporary tables in this folder, so servers must not share it.
    const temporary = path.join(folder, 'tmp');
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    if (owner) for (const file of [init, temporary, folder]) chownSync(file, ...owner);
    return {
      command: [
        'mariadbd',
        '--no-defaults',
        `--user=${user}`,
        `--datadir=${data}`,
        `--tmpdir=${temporary}`,
        `--bind-address=${loopback}`,
        `--port=${port}`,
        `--socket=${path.join(folder, 'socket')}`,
        `--pid-file=${path.join(folder, 'pid')}`,
        `--init-file=${init}`,
        '--skip-name-resolve',
        '--character-set-server=utf8mb4',
        // The same limit as on RDS. A batch of messages is one statement.
        '--max-allowed-packet=64M',
        '--innodb-buffer-pool-size=64M',
      ],
      cwd: folder,
      env: process.env,
    };
  },
  ready: async () => {
    const url = `mysql://chat@${loopback}:${port}/chat`;
    const db = openMysql(url, { connections: 1, timeouts: limits.sqlMs.reads, login: async () => ({ password }) });
    try {
      await sql`SELECT 1`.execute(db);
      return true;
    } catch {
      return false;
    } finally {
      await db.destroy();
    }
  },
});

/**
 * Creates the system tables in a temporary folder first, so that an interrupted start leaves no incomplete data folder.
 */
async function initialise(data: string, user: string, owner: [number, number] | undefined, say: Say): Promise<void> {
  say('Creating the data folder');
  const making = `${data}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o700 });
  if (owner) chownSync(making, ...owner);
  await run(['mariadb-install-db', '--no-defaults', `--datadir=${making}`, `--user=${user}`, '--skip-test-db']);
  renameSync(making, data);
}

async function idsOf(user: string): Promise<[uid: number, gid: number]> {
  const [uid, gid] = await Promise.all([run(['id', '-u', user]), run(['id', '-g', user])]);
  return [Number(uid), Number(gid)];
}
