import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { migrateMysql } from '../../../lib/store/mysql/migration.ts';
import { mysqlMigrations } from '../../../lib/store/mysql/schema.ts';
import { figure } from '../figure.ts';
import { big, fillMessages } from '../fill.ts';
import { makeDatabase } from '../scratch.ts';
import { msOf } from '../time.ts';

const sizes = { full: { messages: 1_000_000, runs: 3, seconds: 5 }, smoke: { messages: 2_000, runs: 1, seconds: 0.2 } };

/** The migrations of the first release. The later ones are measured: they change tables that have rows. */
const initial = Object.fromEntries(Object.entries(mysqlMigrations).filter(([name]) => name <= '002'));

export const migrationMysql = figure({
  title: 'AWS: migrating a database in use',
  about: `The tables of the first release hold 1,000,000 messages in MariaDB. One connection inserts messages one by one, as fast as
    it can, for 5 seconds before the migration and until 5 seconds after it.`,
  measure: async ({ scale, say, servers }) => {
    const { messages, runs, seconds } = sizes[scale];
    const migration: number[] = [];
    const longest = { before: [] as number[], around: [] as number[] };
    for (let run = 0; run < runs; run++) {
      const database = await makeDatabase(await servers(), initial);
      try {
        await fillMessages(messages, database.plain);
        say(`run ${run + 1} of ${runs}: ${messages.toLocaleString('en-US')} messages loaded`);
        let number = messages;
        const insertUntil = async (end: Promise<unknown>): Promise<number> => {
          let ended = false;
          const ending = end.finally(() => {
            ended = true;
          });
          let most = 0;
          while (!ended) most = Math.max(most, await msOf(() => insertOne(database.plain, ++number)));
          await ending;
          return most;
        };
        longest.before.push(await insertUntil(sleep(seconds * 1_000)));
        const migrating = async () => {
          migration.push(await msOf(() => migrateMysql(database.db)));
          await sleep(seconds * 1_000);
        };
        longest.around.push(await insertUntil(migrating()));
      } finally {
        await database.drop();
      }
    }
    return [
      { what: 'the migration', unit: 'ms', values: migration, bar: { atMost: 10_000 } },
      {
        what: 'the longest insert around the migration',
        unit: 'ms',
        values: longest.around,
        reference: { what: 'the longest insert before it', values: longest.before },
      },
    ];
  },
});

const insertOne = (plain: Connection, number: number) =>
  plain.execute(
    'INSERT INTO messages (token, chat, number, body, revision, deleted, created_at, updated_at) VALUES (?, ?, ?, ?, 0, 0, 1, 1)',
    [big.token, big.chat, number, 'inserted'],
  );
