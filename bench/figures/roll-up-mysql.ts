import { rollUp } from '../../lib/rollup/rollup.ts';
import type { Servers } from '../figure.ts';
import { figure } from '../figure.ts';
import { makeDatabase, type ScratchDatabase } from '../scratch.ts';
import { inTurns } from '../statistics.ts';
import { msOf } from '../time.ts';

const sizes = {
  full: { chats: 1_000_000, changed: 1_000, runs: 11 },
  smoke: { chats: 2_000, changed: 100, runs: 1 },
};
const token = 'many';
const atATime = 10_000;

export const rollUpMysql = figure({
  title: 'AWS: counting what changed',
  about: `The roll-up of 1,000 changed chats in MariaDB, among 1,000,000 chats of one application beside among 1,000; each chat has messages, and each
    changed one a new one. The ledger's counters are answered from memory.`,
  measure: async ({ scale, say, servers }) => {
    const { chats, changed, runs } = sizes[scale];
    const where = await servers();
    const [many, few] = [await ChatTable.make(where, chats, changed), await ChatTable.make(where, changed, changed)];
    try {
      const results = await inTurns(
        runs,
        async (run) => {
          say(`run ${run + 1} of ${runs}`);
          return many.rollUp();
        },
        () => few.rollUp(),
      );
      return [
        {
          what: `1,000 changed chats of ${chats.toLocaleString('en-US')}`,
          unit: 'ms',
          values: results.ours,
          reference: { what: `of ${changed.toLocaleString('en-US')}`, values: results.reference },
          bar: { atMost: 1.5 },
        },
      ];
    } finally {
      for (const each of [many, few]) await each.drop();
    }
  },
});

/** An application of so many chats with a message each, of which some change, evenly spread. */
class ChatTable {
  readonly #database: ScratchDatabase;
  readonly #chats: number;
  readonly #changed: number;
  #last = 1;

  private constructor(database: ScratchDatabase, chats: number, changed: number) {
    this.#database = database;
    this.#chats = chats;
    this.#changed = changed;
  }

  static async make(servers: Servers, chats: number, changed: number): Promise<ChatTable> {
    const database = await makeDatabase(servers);
    const { plain, store } = database;
    await store.merge([{ kind: 'application', token, revision: 0, at: 1, name: 'many' }]);
    for (let from = 1; from <= chats; from += atATime) {
      const numbers = Array.from({ length: Math.min(atATime, chats - from + 1) }, (_, i) => from + i);
      await plain.query('INSERT INTO chats (token, number, revision, deleted, created_at, updated_at) VALUES ?', [
        numbers.map((number) => [token, number, 0, 0, 1, 1]),
      ]);
      await plain.query(
        'INSERT INTO messages (token, chat, number, body, revision, deleted, created_at, updated_at) VALUES ?',
        [numbers.map((chat) => [token, chat, 1, 'hello', 0, 0, 1, 1])],
      );
    }
    return new ChatTable(database, chats, changed);
  }

  /** Gives each of the changed chats a message, and counts; answers how long that took, in milliseconds. */
  async rollUp(): Promise<number> {
    const number = ++this.#last;
    const { store } = this.#database;
    const step = this.#chats / this.#changed;
    const chats = Array.from({ length: this.#changed }, (_, i) => Math.floor(i * step) + 1);
    await store.merge(
      chats.map((chat) => ({ kind: 'message', token, chat, number, revision: 0, at: number, body: 'hello' })),
    );
    let visited = 0;
    const counters = async (parents: unknown[]) => parents.map(() => number);
    const ms = await msOf(async () => {
      visited = await rollUp(store, { counters });
    });
    if (visited < this.#changed) throw new Error(`Only ${visited} marks were visited`);
    return ms;
  }

  drop(): Promise<void> {
    return this.#database.drop();
  }
}
