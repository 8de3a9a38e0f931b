import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { perQueue } from '../../functions/queues.ts';
import { ArchiveProblem } from '../../lib/archive/format.ts';
import { ledgerMigrations } from '../../lib/ledger/sqlite/schema.ts';
import { SqliteLedger } from '../../lib/ledger/sqlite/sqlite-ledger.ts';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';
import { decodeWrites } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { storeMigrations } from '../../lib/store/sqlite/schema.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { importFrom } from '../../tools/ops/import.ts';
import { readLines } from '../../tools/ops/lines.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';
import { refusedTexts } from '../support/texts/names-and-bodies.ts';

const untouched = { isWanted: async () => false, abortSignal: new AbortController().signal };

/** A JSON value that JSON.stringify cannot write. */
class Raw {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}
type Line = Record<string, unknown>;

const textOf = (line: Line): string =>
  `{${Object.entries(line)
    .map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.json : JSON.stringify(value)}`)
    .join(',')}}`;

const times = { created_at: '2015-12-01T00:00:00.000Z', updated_at: '2016-12-01T00:00:00.000Z' };
const token = newToken();
const gappy = newToken();
/** Returns a complete file as lines, of which a test changes one. */
const whole = (): Line[] => [
  { kind: 'archive', format: 1 },
  { kind: 'application', token, name: 'a', revision: 1, ...times, highest: 3 },
  { kind: 'chat', number: 1, name: null, deleted: false, revision: 1, ...times, highest: 9 },
  { kind: 'message', chat: 1, number: 1, body: 'one', revision: 1, ...times },
  { kind: 'deleted message', chat: 1, number: 2 },
  { kind: 'message', chat: 1, number: 3, body: 'three', revision: 0, ...times },
  { kind: 'chat', number: 2, name: 'c', deleted: true, revision: 0, ...times, highest: 0 },
  { kind: 'end', chats: 2, messages: 2, deleted_messages: 1 },
];

describe('an import', () => {
  let file: SqliteFile;
  let storeFile: SqliteFile;
  let store: SqliteStore;
  let queue: SqliteQueue;
  let ledger: SqliteLedger;
  let neighbour: string;
  beforeAll(async () => {
    vi.spyOn(console, 'log').mockImplementation((line: string) => printed.push(line));
    file = await openSqliteFile({ ledger: ledgerMigrations, queue: queueMigrations });
    storeFile = await openSqliteFile({ store: storeMigrations });
    store = new SqliteStore(storeFile.database);
    const commits = new GroupCommit(file.database);
    queue = new SqliteQueue(commits, 'store');
    ledger = new SqliteLedger(commits, queue);
    neighbour = (await ledger.createApplication('a neighbour')).token;
    await ledger.createChat(neighbour, chatNamed(null));
    await ledger.createMessages({ token: neighbour, chat: 1 }, contents(['mine', 'mine, too']));
    await ledger.editMessage({ token: neighbour, chat: 1, number: 1 }, { body: 'edited' });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    file.remove();
    storeFile.remove();
  });

  const printed: string[] = [];
  const tables = ['applications', 'chats', 'changed_messages', 'queue_messages', 'dead_letters'];
  const content = () => [
    ...tables.map((table) => file.database.raw.prepare(`SELECT * FROM ${table}`).all()),
    storeFile.database.raw.prepare('SELECT * FROM missing_numbers').all(),
  ];
  const importOf = async (text: string | Uint8Array, flags: { dryRun?: boolean } = {}) => {
    const archive = path.join(path.dirname(file.path), 'archive.ndjson');
    writeFileSync(archive, text);
    const open = async () => ({ ledger, store, queues: perQueue(() => queue), close: async () => undefined });
    await importFrom({ open }, archive, flags, untouched);
  };
  /** Expects one sentence that names the line, and that nothing was imported. */
  const refused = async (text: string | Uint8Array, line: number | undefined) => {
    const before = content();
    const problem = await importOf(text).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(ArchiveProblem);
    const sentence =
      line === undefined ? /^The file is (empty|truncated after line \d+)\.$/ : new RegExp(`^Line ${line}: [^\n]*\\.$`);
    expect((problem as ArchiveProblem).message).toMatch(sentence);
    expect(content()).toEqual(before);
  };
  const spoiled = (line: number, member: string, value: unknown): string => {
    const lines = whole();
    lines[line - 1] = { ...lines[line - 1], [member]: value };
    return lines.map(textOf).join('\n');
  };

  const numberMembers: [line: number, member: string][] = [
    [2, 'revision'],
    [2, 'highest'],
    [3, 'number'],
    [3, 'revision'],
    [3, 'highest'],
    [4, 'chat'],
    [4, 'number'],
    [4, 'revision'],
    [5, 'chat'],
    [5, 'number'],
    [8, 'chats'],
    [8, 'messages'],
    [8, 'deleted_messages'],
  ];
  const badNumbers = [-1, 1.5, 2 ** 32, 2 ** 53 - 1, new Raw('1e400'), '1', null, [], {}];
  test.for(numberMembers)(
    'an import refuses an invalid or out-of-range number in line %i, %s',
    async ([line, member]) => {
      for (const value of badNumbers) await refused(spoiled(line, member, value), line);
      // A revision may be 0. A counter may be 0 too, unless something exists below it.
      if (member === 'highest') await refused(spoiled(line, member, 0), line + 1);
      else if (member !== 'revision') await refused(spoiled(line, member, 0), line);
    },
  );

  test('an import refuses times before 1970 or after 9999, and invalid ones', async () => {
    for (const line of [2, 3, 4, 7])
      for (const member of ['created_at', 'updated_at'])
        for (const value of [
          '0000-01-01T00:00:00.000Z',
          '1969-12-31T23:59:59.999Z',
          '10000-01-01T00:00:00.000Z',
          '+010000-01-01T00:00:00.000Z',
          '2015-02-30T00:00:00.000Z',
          '2015-12-01T24:00:01.000Z',
          '1970-01-01T00:59:59+01:00',
          '9999-12-31T23:30:00-00:30',
          '2016-12-31T12:59:60Z',
          '2015-12-01',
          'yesterday',
          1_448_928_000_000,
          null,
        ])
          await refused(spoiled(line, member, value), line);
  });

  test('an import refuses names and bodies that the API refuses', async () => {
    for (const { json } of refusedTexts(limits.nameLength))
      for (const line of [2, 3]) await refused(spoiled(line, 'name', new Raw(json)), line);
    for (const { json } of refusedTexts(limits.bodyLength)) await refused(spoiled(4, 'body', new Raw(json)), 4);
  });

  test('an import refuses repeated numbers, numbers out of order, and lines in the wrong place', async () => {
    const lines = whole().map(textOf);
    const at = (...order: number[]) => order.map((number) => lines[number - 1]).join('\n');
    await refused(at(1, 2, 3, 4, 4, 5, 6, 7, 8), 5);
    await refused(at(1, 2, 3, 5, 4, 6, 7, 8), 5);
    await refused(at(1, 2, 3, 4, 5, 6, 3, 7, 8), 7);
    await refused(at(1, 2, 7, 3, 4, 5, 6, 8), 4);
    await refused(at(1, 2, 4, 3, 5, 6, 7, 8), 3);
    await refused(at(1, 2, 2, 3, 4, 5, 6, 7, 8), 3);
    await refused(at(1, 2, 3, 4, 5, 7, 8), 7);
    await refused(at(1, 2, 3, 4, 5, 6, 7, 8, 8), 9);
    await refused(at(2, 3, 4, 5, 6, 7, 8), 1);
    await refused(at(1, 2, 3, 4, 5, 6, 7), undefined);
    await refused('', undefined);
  });

  test('an import refuses what is not an archive, is truncated, too long or nested too deep', async () => {
    const text = whole().map(textOf).join('\n');
    await refused(text.slice(0, -20), 8);
    await refused(`${text}\n\n`, 9);
    await refused('\n', 1);
    await expect(importOf(gzipSync(text))).rejects.toThrow('gzip -dc FILE | script/ops import -');
    await refused(Buffer.from(text, 'utf16le'), 1);
    await refused(Buffer.concat([Buffer.from(`${textOf(whole()[0] as Line)}\n`), Buffer.from([0xc3, 0x28])]), 2);
    await refused(`${'['.repeat(limits.archiveLineBytes)}`, 1);
    await refused('['.repeat(400_000) + ']'.repeat(400_000), 1);
    await refused(spoiled(4, 'body', new Raw('['.repeat(400_000) + ']'.repeat(400_000))), 4);
    await refused(spoiled(6, 'padding', 'x'.repeat(2_000_000)), 6);
    await refused('x'.repeat(3_000_000), 1);
    for (const line of ['null', '7', '[]', '"archive"', '{}', '{"kind":"__proto__"}']) await refused(line, 1);
  });

  test('an import refuses a member or format of a newer version before it writes anything, and says what to do', async () => {
    for (const line of [1, 2, 3, 4, 5, 8]) {
      await refused(spoiled(line, 'mood', 'glad'), line);
      await expect(importOf(spoiled(line, 'mood', 'glad'))).rejects.toThrow(
        'has "mood", which this version of chat-system does not know; import the file with the version that wrote it.',
      );
    }
    await refused(spoiled(1, 'format', 3), 1);
    await expect(importOf(spoiled(1, 'format', 3))).rejects.toThrow(
      'Line 1: format must be one of 1, 2, the formats that this version of chat-system reads, but is 3; import the file with the version that wrote it.',
    );
  });

  test('an import accepts the highest values, which are stored and never become dead letters', async () => {
    const lines = whole();
    const bounds = {
      revision: limits.highestRevision,
      created_at: '1970-01-01T00:00:00.000Z',
      updated_at: '9999-12-31T23:59:59.999Z',
    };
    lines[1] = { ...lines[1], ...bounds };
    lines[2] = { ...lines[2], ...bounds };
    lines[5] = { ...lines[5], ...bounds };
    const before = (await Array.fromAsync(queue.records())).length;
    const padding = ' '.repeat(limits.archiveLineBytes - 300);
    const longest = (text: string, i: number) => (i === 5 ? text.replace(/\}$/, `${padding}}`) : text);
    await importOf(lines.map(textOf).map(longest).join('\n'));
    expect(await ledger.entries([{ token }, { token, chat: 1 }, { token, chat: 2 }])).toMatchObject([
      { highest: 3, revision: limits.highestRevision, createdAt: 0, updatedAt: limits.latestTime },
      { highest: 9, revision: limits.highestRevision },
      { deleted: true },
    ]);
    const writes = (await Array.fromAsync(queue.records())).slice(before).flatMap(decodeWrites);
    expect(writes).toContainEqual(expect.objectContaining({ chat: 1, number: 3, at: limits.latestTime }));
    expect((await ledger.createMessages({ token: neighbour, chat: 1 }, contents(['next']))).first).toBe(3);
  });

  test('numbers without a line become void, also when the import is repeated, and the summary says so', async () => {
    const lines = whole();
    lines[1] = { ...lines[1], token: gappy };
    lines.splice(3, 1);
    lines[6] = { kind: 'end', chats: 2, messages: 1, deleted_messages: 1 };
    for (let run = 0; run < 2; run++) {
      await importOf(lines.map(textOf).join('\n'));
      expect(printed.at(-1)).toBe(
        'Imported 2 chats, 1 message, 1 deleted message. 8 numbers without a line became void; the first is message 1/1.',
      );
    }
    const range = { from: 1, to: 9 };
    const voids = async (parent: { token: string; chat?: number }) =>
      (await store.missing(parent, range)).map((each) => each.void && each.number);
    expect(await voids({ token: gappy, chat: 1 })).toEqual([1, 4, 5, 6, 7, 8, 9]);
    expect(await voids({ token: gappy })).toEqual([3]);
    // Chat 2 is deleted, and with it all its numbers.
    expect(await voids({ token: gappy, chat: 2 })).toEqual([]);
    expect((await ledger.createMessages({ token: gappy, chat: 1 }, contents(['next']))).first).toBe(10);
    expect((await ledger.createChat(gappy, chatNamed(null))).number).toBe(4);
  });

  test('a message that the system has is read and counted, though the imported file lacks it', async () => {
    const lines = whole();
    lines[1] = { ...lines[1], token: gappy };
    const key = { token: gappy, chat: 1 };
    await store.merge((await Array.fromAsync(queue.records())).flatMap(decodeWrites));
    await store.merge([{ kind: 'message', ...key, number: 4, revision: 0, at: 1, content: { body: 'four' } }]);
    await store.setCounts(await store.marks(100), [undefined, 9]);
    expect(await store.message(gappy, 1, 4)).toMatchObject({ content: { body: 'four' } });
    expect(await store.message(gappy, 1, 5)).toBe('void');
  });

  test('a file may lack up to the permitted number of lines, and no more', async () => {
    const withHighest = (highest: number, chats: number) => {
      const lines = whole();
      lines[1] = { ...lines[1], token: newToken(), highest: chats };
      lines[2] = { ...lines[2], highest };
      return lines.map(textOf).join('\n');
    };
    await importOf(withHighest(limits.archiveGaps, 5), { dryRun: true });
    expect(printed.at(-1)).toContain('1,000,000 numbers without a line would become void');
    await importOf(withHighest(2_503, 2));
    expect(printed.at(-1)).toContain('2,500 numbers without a line became void; the first is message 1/4.');
    expect(storeFile.database.raw.prepare('SELECT count(*) AS n FROM missing_numbers WHERE number > 9').get()).toEqual({
      n: 2_494,
    });
    await refused(withHighest(limits.archiveGaps, 10), 8);
    await refused(withHighest(limits.highestNumber, 2), 7);
    await refused(withHighest(3, limits.highestNumber), 8);
    await expect(importOf(withHighest(limits.highestNumber, 2))).rejects.toThrow(
      'Line 7: comes after more than 1000000 numbers that have no line, most recently messages 4 to 4294967295 of chat 1; renumber the chats and messages from 1, with fewer gaps.',
    );
  });
});

describe('the reader of lines', () => {
  const read = (...chunks: string[]) =>
    Array.fromAsync(readLines(Readable.from(chunks.map((each) => Buffer.from(each)))));

  test('the reader of lines returns the same lines wherever the chunks end, even inside a character', async () => {
    const bytes = Buffer.from('one\n\u{1F469}é\u2028x\n\nlast');
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await Array.fromAsync(readLines(Readable.from(chunks)))).toEqual(['one', '\u{1F469}é\u2028x', '', 'last']);
    }
    expect(await read()).toEqual([]);
    expect(await read('a\n')).toEqual(['a']);
  });

  test('the reader of lines accepts a line of the permitted length, and stops reading a longer one', async () => {
    const { archiveLineBytes } = limits;
    expect((await read('a\n', 'x'.repeat(archiveLineBytes), '\nb'))[1]).toHaveLength(archiveLineBytes);
    let chunks = 0;
    const endless = async function* () {
      yield Buffer.from('a\n');
      for (;;) {
        chunks++;
        yield Buffer.alloc(65_536, 'x');
      }
    };
    await expect(Array.fromAsync(readLines(endless()))).rejects.toThrow('Line 2: is longer than 1000000 bytes.');
    expect(chunks).toBe(Math.ceil(archiveLineBytes / 65_536));
  });
});
