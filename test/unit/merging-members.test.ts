import { DatabaseSync } from 'node:sqlite';
import { blankValues, memberValues } from '../../lib/store/sql/members.ts';
import { deletionStatement, mergeStatement } from '../../lib/store/sqlite/merge.ts';
import { type MemberRow, memberContract, twoMembers } from '../contract/suites/members.ts';

const scratch = { table: 'scratch', key: ['token'], members: twoMembers, versioned: false };

memberContract('SQLite', async () => {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE TABLE scratch (token TEXT PRIMARY KEY, one TEXT NOT NULL, two TEXT, revision INTEGER NOT NULL,
    two_revision INTEGER NOT NULL, deleted INTEGER NOT NULL, created_at INTEGER, updated_at INTEGER NOT NULL)`);
  const [merging, deleting] = [mergeStatement(scratch), deletionStatement(scratch)].map((text) =>
    database.prepare(text),
  );
  return {
    merge: async (key, writes) => {
      for (const write of writes)
        if (write.kind === 'deletion') deleting?.run(key, ...blankValues(twoMembers), write.at);
        else {
          const { change, revision, at } = write;
          merging?.run(key, ...memberValues(twoMembers, change, revision), revision === 0 ? at : null, at);
        }
    },
    row: async (key) => database.prepare('SELECT * FROM scratch WHERE token = ?').get(key) as unknown as MemberRow,
    close: async () => database.close(),
  };
});
