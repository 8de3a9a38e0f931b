import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { messageKey } from '../../lib/ledger/dynamodb/keys.ts';
import type { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { DomainError, Throttled, Unavailable } from '../../lib/model/errors.ts';
import type { Version } from '../../lib/model/version.ts';
import type { Write } from '../../lib/model/write.ts';
import type { Outbox } from '../../lib/queue/queue.ts';
import type { Database } from '../../lib/sqlite/database.ts';

// A module that is loaded before its bug is planted has no bug. So this file imports types, and values only from modules
// that import nothing themselves.

/** The modules that a bug can be planted in, with what they export. */
interface Modules {
  'client/src/feed.ts': typeof import('../../client/src/feed.ts');
  'functions/api/shared/changes-page.ts': typeof import('../../functions/api/shared/changes-page.ts');
  'functions/api/shared/changes.ts': typeof import('../../functions/api/shared/changes.ts');
  'functions/feed/queue-announcer.ts': typeof import('../../functions/feed/queue-announcer.ts');
  'functions/workers/store.ts': typeof import('../../functions/workers/store.ts');
  'lib/ledger/dynamodb/reservations.ts': typeof import('../../lib/ledger/dynamodb/reservations.ts');
  'lib/ledger/dynamodb/dynamodb-ledger.ts': typeof import('../../lib/ledger/dynamodb/dynamodb-ledger.ts');
  'lib/ledger/dynamodb/idempotency-keys.ts': typeof import('../../lib/ledger/dynamodb/idempotency-keys.ts');
  'lib/ledger/dynamodb/numbers.ts': typeof import('../../lib/ledger/dynamodb/numbers.ts');
  'lib/ledger/dynamodb/parked-writes.ts': typeof import('../../lib/ledger/dynamodb/parked-writes.ts');
  'lib/ledger/dynamodb/purge.ts': typeof import('../../lib/ledger/dynamodb/purge.ts');
  'lib/ledger/dynamodb/table.ts': typeof import('../../lib/ledger/dynamodb/table.ts');
  'lib/queue/sqs/sqs-queue.ts': typeof import('../../lib/queue/sqs/sqs-queue.ts');
  'lib/search/sqlite/sqlite-index.ts': typeof import('../../lib/search/sqlite/sqlite-index.ts');
  'lib/store/sqlite/counts.ts': typeof import('../../lib/store/sqlite/counts.ts');
  'lib/store/sqlite/sqlite-store.ts': typeof import('../../lib/store/sqlite/sqlite-store.ts');
  'local/feed/store-reads.ts': typeof import('../../local/feed/store-reads.ts');
}

/** A bug that can be planted: another value for one export of a module. */
export interface Mutation {
  /** Says what the bug does. */
  name: string;
  /** The module's path in the repository. */
  file: keyof Modules;
  /** The name of the export that is replaced for everybody who imports the module. */
  export: string;
  /** Returns the value with the bug, given what the module really exports. */
  plant: (module: never) => unknown;
}

/**
 * The compiler checks that the module has the export and that the bug keeps its type. So a renamed export, method or
 * parameter is an error here, and other refactorings leave the bug in place.
 */
const mutation = <File extends keyof Modules, Export extends string & keyof Modules[File]>(
  file: File,
  name: Export,
  bug: string,
  plant: (module: Modules[File]) => Modules[File][Export],
): Mutation => ({ name: bug, file, export: name, plant });

/**
 * Runs SQL of a bug. When a statement fails, the bug itself is wrong, and the error ends the process: the simulation
 * must not count it as found.
 */
function sql(database: Database, statement: string, ...values: (string | number | null)[]): Record<string, unknown>[] {
  try {
    return database.prepare(statement).all(...values);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    throw error;
  }
}

/** Some rows of a table: the columns that name a row, and the column that a bug hides. */
interface Hidden {
  table: string;
  key: string[];
  column: string;
  /** The value that the column holds during the work. */
  as: number;
}

/**
 * Does the work while a column holds another value in all rows. Afterwards each row that the work did not change gets
 * its former value back.
 */
function hiding<Result>(database: Database, { table, key, column, as }: Hidden, work: () => Result): Result {
  const before = sql(database, `SELECT ${[...key, column].join(', ')} FROM ${table}`);
  sql(database, `UPDATE ${table} SET ${column} = ?`, as);
  try {
    return work();
  } finally {
    const where = [...key, column].map((name) => `${name} = ?`).join(' AND ');
    for (const row of before)
      sql(
        database,
        `UPDATE ${table} SET ${column} = ? WHERE ${where}`,
        row[column] as number,
        ...key.map((name) => row[name] as string | number),
        as,
      );
  }
}

type Once<Result> = Parameters<
  typeof import('../../lib/ledger/dynamodb/idempotency-keys.ts').IdempotencyKeys.prototype.once<Result>
>;

const messageRow = ['token', 'chat', 'number'];
const hiddenRevision: Hidden = { table: 'messages', key: messageRow, column: 'revision', as: -1 };
/** Not -1 as above, because revision 0 of a write that does not set the metadata must not replace it. */
const hiddenMetadataRevision: Hidden = {
  table: 'chats',
  key: ['token', 'number'],
  column: 'metadata_revision',
  as: 0,
};
const thisMessage = messageRow.map((name) => `${name} = ?`).join(' AND ');

/** Returns a bug of the store: a merge does not see the revisions that are stored. */
const mergingWithout = (hidden: Hidden, name: string): Mutation =>
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    name,
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override merge(writes: Write[]) {
          return hiding(this.#database, hidden, () => super.merge(writes));
        }
      },
  );

type StoreWorkerServices = Parameters<typeof import('../../functions/workers/store.ts').storeWorker>[0];
type Source = InstanceType<typeof import('../../client/src/feed.ts').Feed>;
type ReadArguments = Parameters<Source['read']>;

/** Announces the versions that the writes would make now, before they are committed. */
async function announceEarly({ store, announcer }: StoreWorkerServices, writes: Write[]): Promise<void> {
  const parents = new Map<string, Omit<Version, 'version'>>();
  for (const write of writes)
    if (write.kind === 'message') parents.set(`${write.token}/${write.chat}`, { token: write.token, chat: write.chat });
  const next: Version[] = [];
  for (const parent of parents.values()) next.push({ ...parent, version: (await store.version(parent)) + 1 });
  if (next.length > 0) await announcer?.announce(next, { provenance: { requests: [], at: undefined }, store });
}

/** Returns the services of a store worker whose merge is another one. */
function mergingBy(services: StoreWorkerServices, merge: (writes: Write[]) => Promise<Version[]>): StoreWorkerServices {
  const { store } = services;
  const steps: typeof store.steps = (versions) => store.steps(versions);
  return { ...services, store: { merge, steps } as typeof store };
}

/** Bugs of accepting, storing and searching, and of reading changes. */
const otherMutations: Mutation[] = [
  mergingWithout(hiddenRevision, 'an older edit replaces a newer one'),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'an edit brings a deleted message back',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override merge(writes: Write[]) {
          const done = super.merge(writes);
          for (const write of writes)
            if (write.kind === 'message' && write.revision > 0)
              sql(
                this.#database,
                `UPDATE messages SET deleted = 0, body = ? WHERE deleted = 1 AND ${thisMessage}`,
                write.content.body ?? '',
                write.token,
                write.chat,
                write.number,
              );
          return done;
        }
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'an edit that arrives first creates the message',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        override merge(writes: Write[]) {
          const created = writes.filter(({ kind }) => kind === 'message').map((write) => ({ ...write, revision: 0 }));
          return super.merge([...created, ...writes]);
        }
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'the store keeps what is below a deleted chat',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override merge(writes: Write[]) {
          const hidden = { column: 'deleted', as: 0 };
          const chats = { table: 'chats', key: ['token', 'number'], ...hidden };
          const applications = { table: 'applications', key: ['token'], ...hidden };
          return hiding(this.#database, chats, () => hiding(this.#database, applications, () => super.merge(writes)));
        }
      },
  ),
  mutation(
    'lib/queue/sqs/sqs-queue.ts',
    'SqsQueue',
    'a malformed record is acknowledged and forgotten',
    ({ SqsQueue }) =>
      class extends SqsQueue {
        override async addDeadLetters() {}
      },
  ),
  mutation(
    'functions/workers/store.ts',
    'storeWorker',
    'a batch that failed is acknowledged',
    ({ storeWorker }) =>
      (services) => {
        const work = storeWorker(services);
        return async (event, context) => {
          const { batchItemFailures } = await work(event, context);
          const isWhole = batchItemFailures.length === event.Records.length;
          return { batchItemFailures: isWhole ? [] : batchItemFailures };
        };
      },
  ),
  mutation(
    'functions/workers/store.ts',
    'storeWorker',
    'the search queue gets changes before they are committed',
    ({ storeWorker }) =>
      (services) =>
      async (event, context) => {
        type Writes = Parameters<typeof services.store.merge>[0];
        const delayed: Writes[] = [];
        const merge = async (writes: Writes): Promise<Version[]> => {
          delayed.push(writes);
          return [];
        };
        const store = { merge } as typeof services.store;
        const result = await storeWorker({ ...services, store })(event, context);
        for (const writes of delayed) await services.store.merge(writes);
        return result;
      },
  ),
  mutation(
    'functions/workers/store.ts',
    'storeWorker',
    'the search queue does not get what is stored when the batch is delivered again',
    ({ storeWorker }) =>
      (services) => {
        const { searchQueue } = services;
        const send = (bodies: string[]) => searchQueue.send(bodies).catch(() => undefined);
        return storeWorker({ ...services, searchQueue: { send } as typeof searchQueue });
      },
  ),
  mutation(
    'lib/search/sqlite/sqlite-index.ts',
    'SqliteSearchIndex',
    'the index takes an older version',
    ({ SqliteSearchIndex }) =>
      class extends SqliteSearchIndex {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override index(...args: Parameters<InstanceType<typeof SqliteSearchIndex>['index']>) {
          const version: Hidden = { table: 'search_documents', key: ['id'], column: 'version', as: -1 };
          return hiding(this.#database, version, () => super.index(...args));
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/numbers.ts',
    'takeNumbers',
    'a number is given back after a timeout',
    ({ takeNumbers }) =>
      async (table, taking) => {
        try {
          return await takeNumbers(table, taking);
        } catch (error) {
          await table.update(taking.parent, {
            UpdateExpression: 'ADD #counter :back',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeNames: { '#counter': taking.counter },
            ExpressionAttributeValues: { ':back': { N: String(-taking.count) } },
          });
          throw error;
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/table.ts',
    'DynamodbTable',
    'an update of a counter is repeated after a timeout',
    ({ DynamodbTable: Table }) =>
      class extends Table {
        override update(...args: Parameters<DynamodbTable['update']>) {
          return super.update(...args).catch(() => super.update(...args));
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/numbers.ts',
    'takeNumbers',
    'a number is read and then written',
    ({ exists }) =>
      async (table, { parent, counter, count }) => {
        const [held] = await table.get([parent]);
        const last = Number(held?.[counter]?.N ?? 0) + count;
        const outcome = await table.update(parent, {
          UpdateExpression: 'SET #counter = :last',
          ConditionExpression: exists,
          ExpressionAttributeNames: { '#counter': counter },
          ExpressionAttributeValues: { ':last': { N: String(last) } },
        });
        return 'done' in outcome ? last : 'not found';
      },
  ),
  mutation(
    'lib/ledger/dynamodb/parked-writes.ts',
    'ParkedWrites',
    'a write that SQS rejects is not parked',
    ({ ParkedWrites }) =>
      class extends ParkedWrites {
        readonly #outbox: Outbox;
        constructor(table: DynamodbTable, outbox: Outbox) {
          super(table, outbox);
          this.#outbox = outbox;
        }
        override sendOrPark(bodies: string[]) {
          return this.#outbox.send(bodies).catch(() => undefined);
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/parked-writes.ts',
    'ParkedWrites',
    'a parked record is removed before it is sent',
    ({ ParkedWrites }) =>
      class extends ParkedWrites {
        readonly #table: DynamodbTable;
        readonly #outbox: Outbox;
        constructor(table: DynamodbTable, outbox: Outbox) {
          super(table, outbox);
          this.#table = table;
          this.#outbox = outbox;
        }
        override async sendParked(item: Parameters<InstanceType<typeof ParkedWrites>['sendParked']>[0]) {
          await this.#table.remove({ pk: item.pk?.S ?? '', sk: item.sk?.S ?? '' });
          await this.#outbox.send([item.body?.S ?? '']).catch(() => undefined);
        }
      },
  ),
  mutation(
    'lib/queue/sqs/sqs-queue.ts',
    'SqsQueue',
    'what SQS rejects of a batch counts as sent',
    ({ SqsQueue }) =>
      class extends SqsQueue {
        constructor(client: SQSClient, url: string, deadLetterUrl: string) {
          const send = async (command: SendMessageBatchCommand) => {
            const output = await client.send(command);
            return command instanceof SendMessageBatchCommand ? { ...output, Failed: [] } : output;
          };
          super({ send } as SQSClient, url, deadLetterUrl);
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/numbers.ts',
    'takeNumbersOnce',
    'a key does not reserve its number',
    ({ takeNumbers }) =>
      (table, taking) =>
        takeNumbers(table, taking),
  ),
  mutation(
    'lib/ledger/dynamodb/reservations.ts',
    'removableReservations',
    'a reservation is removed before its number is recorded',
    () =>
      async (_table, _counter, { item }) =>
        Object.keys(item.claims?.M ?? {}).slice(0, 100),
  ),
  mutation(
    'lib/ledger/dynamodb/reservations.ts',
    'removableReservations',
    'all expired reservations are removed in one expression',
    () =>
      async (_table, _counter, { item }) =>
        Object.keys(item.claims?.M ?? {}).filter((name) => name.includes('/')),
  ),
  mutation(
    'lib/ledger/dynamodb/idempotency-keys.ts',
    'IdempotencyKeys',
    'a rejected repetition removes the key and with it the number',
    ({ IdempotencyKeys }) =>
      class extends IdempotencyKeys {
        readonly #table: DynamodbTable;
        constructor(table: DynamodbTable, now: () => number) {
          super(table, now);
          this.#table = table;
        }
        override once<Result>(...[key, use, work]: Once<Result>): Promise<Result> {
          const forgetful: typeof work = (held) =>
            work(held).catch(async (error: unknown) => {
              if (error instanceof DomainError && error.appliedNothing)
                await this.#table.remove({ pk: `key/${key.id}`, sk: 'key' });
              throw error;
            });
          return super.once(key, use, forgetful);
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/table.ts',
    'DynamodbTable',
    'a throttled call after the number was taken counts as refused',
    ({ DynamodbTable: Table }) => {
      const refuse = (error: unknown) => {
        const cause = error instanceof Unavailable ? error.cause : undefined;
        if (cause instanceof Error && /Throttling|ThroughputExceeded|RequestLimit/.test(cause.name))
          throw new Throttled(cause);
        throw error;
      };
      return class extends Table {
        override insert(...args: Parameters<DynamodbTable['insert']>) {
          return super.insert(...args).catch(refuse);
        }
        override write(...args: Parameters<DynamodbTable['write']>) {
          return super.write(...args).catch(refuse);
        }
      };
    },
  ),
  mutation(
    'lib/ledger/dynamodb/purge.ts',
    'purgeItems',
    'a purged chat leaves no tombstone',
    ({ purgeItems }) =>
      (table, parent, limit) => {
        const forgetful: Pick<DynamodbTable, 'get' | 'query' | 'update' | 'write'> = {
          get: (keys) => table.get(keys),
          query: (...args) => table.query(...args),
          update: (...args) => table.update(...args),
          write: (puts, removals = []) =>
            table.write([], [...removals, ...puts.map(({ pk, sk }) => ({ pk: pk?.S ?? '', sk: sk?.S ?? '' }))]),
        };
        return purgeItems(forgetful as DynamodbTable, parent, limit);
      },
  ),
  mutation(
    'lib/ledger/dynamodb/table.ts',
    'DynamodbTable',
    'a deletion is marked and its record is not parked',
    ({ DynamodbTable: Table }) =>
      class extends Table {
        override updateAndPut(...[key, update]: Parameters<DynamodbTable['updateAndPut']>) {
          return super.update(key, update);
        }
      },
  ),
  mutation(
    'lib/ledger/dynamodb/dynamodb-ledger.ts',
    'DynamodbLedger',
    'an edit of a deleted message is accepted',
    ({ DynamodbLedger }) =>
      class extends DynamodbLedger {
        readonly #table: DynamodbTable;
        constructor(...args: ConstructorParameters<typeof DynamodbLedger>) {
          super(...args);
          this.#table = args[0];
        }
        override async editMessage(...args: Parameters<InstanceType<typeof DynamodbLedger>['editMessage']>) {
          try {
            return await super.editMessage(...args);
          } catch (error) {
            const [item] = await this.#table.get([messageKey(args[0])]);
            if (item?.deleted) return { at: Date.now() };
            throw error;
          }
        }
      },
  ),
  mutation(
    'lib/store/sqlite/counts.ts',
    'setCounts',
    'a roll-up adds the new count to the old one',
    ({ setCounts }) =>
      (database, marks, highestNumbers) => {
        const counts = marks.map(({ token, chat = 0 }) =>
          sql(database, 'SELECT messages_count FROM chats WHERE token = ? AND number = ?', token, chat).map(
            ({ messages_count }) => Number(messages_count),
          ),
        );
        setCounts(database, marks, highestNumbers);
        for (const [i, { token, chat = 0 }] of marks.entries())
          for (const count of counts[i] ?? [])
            sql(
              database,
              'UPDATE chats SET messages_count = ? + (messages_count > 0) WHERE token = ? AND number = ?',
              count,
              token,
              chat,
            );
      },
  ),
  mutation('lib/store/sqlite/counts.ts', 'setCounts', 'an older count replaces a newer one', ({ setCounts }) => {
    // A page is repeated after the next one that counts one of its chats, as by a call that takes effect late.
    let late: Parameters<typeof setCounts> | undefined;
    const counted: Hidden = { table: 'chats', key: ['token', 'number'], column: 'counted', as: -1 };
    return (...page) => {
      const [database, marks] = page;
      setCounts(...page);
      if (late && marks.some(({ token }) => late?.[1].some((each) => each.token === token))) {
        const [, ...repeated] = late;
        hiding(database, counted, () => setCounts(database, ...repeated));
        late = undefined;
      } else if (marks.length > 0) late = page;
    };
  }),
  mutation(
    'lib/store/sqlite/counts.ts',
    'setCounts',
    'a mark is cleared that was set meanwhile',
    ({ setCounts }) =>
      (database, marks, highestNumbers) => {
        setCounts(database, marks, highestNumbers);
        for (const { token, chat = 0 } of marks)
          sql(database, 'DELETE FROM rollup_marks WHERE token = ? AND chat = ?', token, chat);
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'the purge is not repeated',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        override endPurge(...[purge]: Parameters<InstanceType<typeof SqliteStore>['endPurge']>) {
          return super.endPurge(purge);
        }
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'the clock of the machine decides which edit is the last',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override async merge(writes: Write[]) {
          const merged: Promise<Version[]>[] = [];
          for (const write of writes) {
            if (write.kind !== 'message' || write.revision === 0) {
              merged.push(super.merge([write]));
              continue;
            }
            const { token, chat, number, at } = write;
            const [row] = sql(
              this.#database,
              `SELECT updated_at FROM messages WHERE ${thisMessage}`,
              token,
              chat,
              number,
            );
            if (Number(row?.updated_at ?? 0) <= at)
              merged.push(hiding(this.#database, hiddenRevision, () => super.merge([write])));
          }
          return (await Promise.all(merged)).flat();
        }
      },
  ),
  mergingWithout(hiddenMetadataRevision, "an older edit of a chat's metadata replaces a newer one"),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'a version is visible before it is committed',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        override async version(...args: Parameters<InstanceType<typeof SqliteStore>['version']>) {
          const version = await super.version(...args);
          return version === 0 ? 0 : version + 1;
        }
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'a row is stamped with the version that was there before',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override async merge(writes: Write[]) {
          const versions = await super.merge(writes);
          for (const { token, chat = 0, version } of versions)
            sql(
              this.#database,
              'UPDATE messages SET version = version - 1 WHERE token = ? AND chat = ? AND version = ?',
              token,
              chat,
              version,
            );
          return versions;
        }
      },
  ),
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'changes begin one version too late',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        override messageChanges(...[chat, range]: Parameters<InstanceType<typeof SqliteStore>['messageChanges']>) {
          const { version, number } = range.after;
          return super.messageChanges(chat, {
            ...range,
            after: number === undefined && version > 0 ? { version: version + 1 } : range.after,
          });
        }
      },
  ),
  mutation(
    'functions/api/shared/changes-page.ts',
    'changesPage',
    'a version is cut by the limit',
    ({ changesPage }) =>
      (found, viewOf, version) => {
        const page = changesPage(found, viewOf, version);
        const last = found.changes.at(-1);
        if (!page.more || !last) return page;
        return { data: found.changes.map(viewOf), change: last.version, more: true };
      },
  ),
  mutation(
    'functions/api/shared/changes.ts',
    'changesResponse',
    'the version is read after the changes',
    ({ changesResponse }) =>
      (list) => {
        let found: ReturnType<typeof list.page> | undefined;
        return changesResponse({
          ...list,
          version: async () => {
            const { after = 0, limit } = list.request.query;
            found = list.page({ after: { version: after }, upTo: Number.MAX_SAFE_INTEGER, limit });
            await found;
            return list.version();
          },
          page: (range) => found ?? list.page(range),
        });
      },
  ),
];

/** Bugs that make a follower miss changes, or get one twice. */
export const feedMutations: Mutation[] = [
  mutation(
    'lib/store/sqlite/sqlite-store.ts',
    'SqliteStore',
    'a write that is delivered again stamps its row again',
    ({ SqliteStore }) =>
      class extends SqliteStore {
        readonly #database: Database;
        constructor(database: Database) {
          super(database);
          this.#database = database;
        }
        override async merge(writes: Write[]) {
          const versions = await super.merge(writes);
          for (const write of writes) {
            if (write.kind !== 'message') continue;
            const { token, chat, number } = write;
            sql(this.#database, 'UPDATE versions SET version = version + 1 WHERE token = ? AND chat = ?', token, chat);
            sql(
              this.#database,
              `UPDATE messages SET version = (SELECT version FROM versions WHERE token = ?1 AND chat = ?2)
              WHERE token = ?1 AND chat = ?2 AND number = ?3`,
              token,
              chat,
              number,
            );
          }
          return versions;
        }
      },
  ),
  mutation(
    'functions/workers/store.ts',
    'storeWorker',
    'a version is announced before it is committed',
    ({ storeWorker }) =>
      (services) =>
        storeWorker(
          mergingBy(services, async (writes) => {
            await announceEarly(services, writes);
            return services.store.merge(writes);
          }),
        ),
  ),
  mutation(
    'functions/workers/store.ts',
    'storeWorker',
    'a version is announced whose transaction was rolled back',
    ({ storeWorker }) =>
      (services) =>
        storeWorker(
          mergingBy(services, (writes) =>
            services.store.merge(writes).catch(async (error: unknown) => {
              await announceEarly(services, writes).catch(() => undefined);
              throw error;
            }),
          ),
        ),
  ),
  mutation(
    'functions/feed/queue-announcer.ts',
    'QueueAnnouncer',
    'a step is cut by a limit',
    ({ QueueAnnouncer }) =>
      class extends QueueAnnouncer {
        override announce(...[versions, about]: Parameters<InstanceType<typeof QueueAnnouncer>['announce']>) {
          const steps: typeof about.store.steps = async (asked) =>
            (await about.store.steps(asked)).map(
              (step) => ({ ...step, changes: step.changes.slice(0, 1) }) as typeof step,
            );
          return super.announce(versions, { ...about, store: { steps } });
        }
      },
  ),
  mutation(
    'client/src/feed.ts',
    'Feed',
    'a follower attaches after it has read',
    ({ Feed }) =>
      class extends Feed {
        readonly #early = new Map<string, ReturnType<Source['read']>>();
        override async connect(...[positions, signal]: Parameters<Source['connect']>) {
          for (const [chat, after] of positions) {
            const page = super.read(chat, { after }, signal);
            this.#early.set(`${chat}/${after}`, page);
            await page;
          }
          return super.connect(positions, signal);
        }
        override read(...[chat, from, signal]: ReadArguments) {
          const name = `${chat}/${from.after}`;
          const early = this.#early.get(name);
          this.#early.delete(name);
          return early ?? super.read(chat, from, signal);
        }
      },
  ),
  mutation(
    'client/src/feed.ts',
    'Feed',
    'a follower resumes one version too late',
    ({ Feed }) =>
      class extends Feed {
        override connect(...[positions, signal]: Parameters<Source['connect']>) {
          return super.connect(new Map([...positions].map(([chat, after]) => [chat, after && after + 1])), signal);
        }
      },
  ),
  mutation(
    'local/feed/store-reads.ts',
    'feedReads',
    'the hub sends a version before it is committed',
    ({ feedReads }) =>
      (...services) => {
        const reads = feedReads(...services);
        return { ...reads, version: async (parent) => (await reads.version(parent)) + 1 };
      },
  ),
  mutation(
    'local/feed/store-reads.ts',
    'missedPart',
    'what a follower of the hub missed is cut by a limit',
    ({ missedPart }) =>
      async (...asked) => {
        const { steps, upTo } = await missedPart(...asked);
        return { steps: steps.slice(0, 1), upTo };
      },
  ),
  mutation(
    'local/feed/store-reads.ts',
    'feedReads',
    'a step of the hub that follows a missed announcement is sent alone',
    ({ feedReads }) =>
      (...services) => {
        const reads = feedReads(...services);
        return { ...reads, steps: (parent, _after, upTo) => reads.steps(parent, upTo - 1, upTo) };
      },
  ),
];

/** Bugs that the simulation must find. Somebody wrote each of them once, in this system or another. */
export const mutations: Mutation[] = [...otherMutations, ...feedMutations];
