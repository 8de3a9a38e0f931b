import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@opensearch-project/opensearch';
import * as z from 'zod';
import { limits } from '../../limits.ts';
import type { Store } from '../../store/store.ts';
import { documentsOf } from '../documents-of.ts';
import { type Reindexing, ReindexProblem, type ReindexStep } from '../reindex.ts';
import { foldVersion } from '../text/fold-table.ts';
import { indexInto } from './bulk.ts';
import { createIndex } from './migration.ts';
import { indexName, indexNumberOf, messagesAlias, ownAlias, writesAlias } from './names.ts';

/** The time between two `waiting` steps, in milliseconds. */
const sliceMs = 1_000;

/** The state of a reindex, stored in `_meta` of the new index: since when workers may write to it, and the progress. */
const note = z.object({
  since: z.number(),
  copied: z.number(),
  after: z.object({ token: z.string(), chat: z.number(), number: z.number() }).optional(),
});
type Note = z.output<typeof note>;

interface FoundIndex {
  indexNumber: number;
  searched: boolean;
  foldVersion: unknown;
  note: unknown;
}

/**
 * Builds a new index beside the searched one, while the system runs:
 *
 * 1. It creates the new index; from then on, workers write to both.
 * 2. When every worker knows the new index, it copies all messages of the store with their versions. So a newer version
 *    that a worker has written meanwhile wins.
 * 3. It switches searches to the new index atomically.
 * 4. When no worker writes to the old index any more, it deletes that index.
 *
 * Its whole state is in the cluster: which index is searched, which are written to, and a note in the new index.
 */
export class OpensearchReindexing implements Reindexing {
  readonly #client: Client;
  readonly #store: Pick<Store, 'scan'>;
  readonly #alias: string;
  readonly #waitMs: number;
  readonly #pagesPerNote: number;

  /**
   * @param options.waitMs milliseconds after which every worker knows a change of the aliases
   * @param options.pagesPerNote pages of the store between two updates of the note; each changes the cluster state
   */
  constructor(
    client: Client,
    store: Pick<Store, 'scan'>,
    options: { alias?: string; waitMs?: number; pagesPerNote?: number } = {},
  ) {
    const { alias = messagesAlias, waitMs = limits.writeIndexesMs + limits.workerMs, pagesPerNote = 20 } = options;
    this.#client = client;
    this.#store = store;
    this.#alias = alias;
    this.#waitMs = waitMs;
    this.#pagesPerNote = pagesPerNote;
  }

  async plan() {
    const { searched, newer, older } = await this.#indexes();
    const { body } = await this.#client.count({ index: this.#alias });
    const name = (indexNumber: number) => indexName(this.#alias, indexNumber);
    if (newer) {
      const { copied } = note.parse(newer.note);
      return {
        what: `continue building ${name(newer.indexNumber)}, which has ${copied} messages so far`,
        messages: body.count - copied,
      };
    }
    if (older.length > 0)
      return { what: `delete ${older.map(name).join(', ')}, which is no longer searched`, messages: 0 };
    return { what: `build ${name(searched + 1)} to replace ${name(searched)}`, messages: body.count };
  }

  async *run(): AsyncGenerator<ReindexStep> {
    const { searched, newer, older } = await this.#indexes();
    if (!newer && older.length > 0) {
      yield* this.#remove(older);
      return;
    }
    const indexNumber = newer?.indexNumber ?? searched + 1;
    const name = indexName(this.#alias, indexNumber);
    if (newer && newer.foldVersion !== foldVersion)
      throw new ReindexProblem(
        `Another version of chat-system started to build ${name}. Discard it with script/ops reindex --abort.`,
      );
    if (!newer) {
      const begun: Note = { since: Date.now(), copied: 0 };
      await createIndex(this.#client, { alias: this.#alias, indexNumber }, { meta: { reindex: begun } });
      yield { kind: 'done', what: `created ${name}` };
    }
    yield* this.#copy(indexNumber, newer ? note.parse(newer.note) : { since: Date.now(), copied: 0 });
    yield* this.#swap(searched, indexNumber);
    yield* this.#remove([...older, searched]);
  }

  async *abort(): AsyncGenerator<ReindexStep> {
    const { searched, newer } = await this.#indexes();
    if (!newer) return;
    await this.#setRefreshing(indexName(this.#alias, searched), '1s');
    yield* this.#remove([newer.indexNumber]);
  }

  async *#copy(indexNumber: number, begun: Note): AsyncGenerator<ReindexStep> {
    // Another machine, whose clock is ahead, may have started the reindex. So never wait longer than waitMs.
    const waitMs = Math.min(begun.since + this.#waitMs - Date.now(), this.#waitMs);
    yield* this.#wait(waitMs, 'every worker writes to the new index');
    let { copied, after } = begun;
    if (copied > 0) yield { kind: 'copied', messages: copied, refused: [] };
    const page = limits.rowsPerTransaction;
    for (let pages = 1, more = true; more; pages++) {
      const rows = await this.#store.scan(page, after);
      const refused = await indexInto(this.#client, ownAlias(this.#alias, indexNumber), rows.flatMap(documentsOf));
      more = rows.length === page;
      copied += rows.length;
      after = rows.at(-1) ?? after;
      if (pages % this.#pagesPerNote === 0) await this.#note(indexNumber, { since: begun.since, copied, after });
      yield { kind: 'copied', messages: rows.length, refused };
    }
  }

  async *#swap(searched: number, indexNumber: number): AsyncGenerator<ReindexStep> {
    const [old, fresh] = [searched, indexNumber].map((each) => indexName(this.#alias, each)) as [string, string];
    // Every message found before the switch must be found after it. Workers write to the new index first. So once the
    // old index stops refreshing, a refresh of the new one makes everything visible that the old one shows.
    await this.#setRefreshing(old, '-1');
    await this.#client.indices.refresh({ index: fresh });
    await this.#client.indices.updateAliases({
      body: {
        actions: [{ remove: { index: old, alias: this.#alias } }, { add: { index: fresh, alias: this.#alias } }],
      },
    });
    yield { kind: 'done', what: `switched searches to ${fresh}` };
  }

  async #setRefreshing(index: string, refresh_interval: '-1' | '1s'): Promise<void> {
    await this.#client.indices.putSettings({ index, body: { refresh_interval } });
  }

  /** Deletes indexes that are not searched, once no worker writes to them. */
  async *#remove(indexNumbers: number[]): AsyncGenerator<ReindexStep> {
    const names = indexNumbers.map((each) => indexName(this.#alias, each));
    await this.#client.indices.updateAliases({
      body: {
        actions: names.map((index) => ({ remove: { index, alias: writesAlias(this.#alias), must_exist: false } })),
      },
    });
    yield* this.#wait(this.#waitMs, `no worker writes to ${names.join(', ')}`);
    for (const index of names) await this.#client.indices.delete({ index }, { ignore: [404] });
    yield { kind: 'done', what: `deleted ${names.join(', ')}` };
  }

  async *#wait(milliseconds: number, until: string): AsyncGenerator<ReindexStep> {
    const end = performance.now() + milliseconds;
    for (let forMs = end - performance.now(); forMs > 0; forMs = end - performance.now()) {
      yield { kind: 'waiting', forMs, until };
      await sleep(Math.min(forMs, sliceMs));
    }
  }

  async #note(indexNumber: number, { since, copied, after }: Note): Promise<void> {
    const position = after && { token: after.token, chat: after.chat, number: after.number };
    const reindex: Note = { since, copied, ...(position && { after: position }) };
    await this.#client.indices.putMapping({
      index: indexName(this.#alias, indexNumber),
      body: { _meta: { fold_version: foldVersion, reindex } },
    });
  }

  async #indexes(): Promise<{ searched: number; newer: FoundIndex | undefined; older: number[] }> {
    const { body } = await this.#client.indices.get({ index: `${this.#alias}-*` });
    const found = Object.entries(body).flatMap(([name, { aliases = {}, mappings }]): FoundIndex[] => {
      const indexNumber = indexNumberOf(this.#alias, name);
      if (indexNumber === undefined) return [];
      const meta = mappings?._meta ?? {};
      return [{ indexNumber, searched: this.#alias in aliases, foldVersion: meta.fold_version, note: meta.reindex }];
    });
    const searched = found.find((each) => each.searched)?.indexNumber;
    if (searched === undefined)
      throw new ReindexProblem(`There is no search index ${this.#alias}. Deploy to create it.`);
    return {
      searched,
      newer: found.find(({ indexNumber }) => indexNumber > searched),
      older: found.map(({ indexNumber }) => indexNumber).filter((indexNumber) => indexNumber < searched),
    };
  }
}
