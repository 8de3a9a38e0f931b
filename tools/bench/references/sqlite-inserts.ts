import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { usualBody } from '../../texts/usual-body.ts';

// The minimum that SQLite must do with messages: insert rows into one table, 5,000 in each synced transaction (50
// requests of 100 messages).

const seconds = Number(process.argv[2]);
const rowsPerCommit = 5_000;
const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-bench-'));
const database = new DatabaseSync(path.join(folder, 'rows.db'));
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE messages (chat INTEGER, number INTEGER, body TEXT, PRIMARY KEY (chat, number)) STRICT, WITHOUT ROWID`);
const insert = database.prepare('INSERT INTO messages (chat, number, body) VALUES (1, ?, ?)');
const begin = performance.now();
let rows = 0;
while (performance.now() - begin < seconds * 1_000) {
  database.exec('BEGIN');
  for (let i = 0; i < rowsPerCommit; i++) insert.run(++rows, usualBody);
  database.exec('COMMIT');
}
const perSecond = (rows * 1_000) / (performance.now() - begin);
database.close();
rmSync(folder, { recursive: true });
process.send?.(perSecond);
