import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import type { ContentChange } from '../../lib/model/content.ts';
import type { MessageKey } from '../../lib/model/keys.ts';
import type { Write } from '../../lib/model/write.ts';
import {
  decodeChanges,
  decodeChangesRecord,
  decodeWrites,
  decodeWritesRecord,
  encodeChanges,
  encodeWrites,
  MalformedRecord,
  UnknownRecord,
} from '../../lib/queue/records.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite } from '../support/histories/writes.ts';
import { hardText } from '../support/texts/hard-texts.ts';

test('writes are decoded as they were encoded, in their order', () => {
  const writes = [
    applicationWrite('t'),
    chatWrite('t', 1, { name: null }),
    messageWrite('t', 1, 2, { revision: 3 }),
    deletionWrite('t', 1, 2),
    deletionWrite('t', 1),
    deletionWrite('t'),
  ];
  expect(decodeWrites(encodeWrites(writes))).toEqual(writes);
  fc.assert(
    fc.property(hardText, (body) => {
      expect(decodeWrites(encodeWrites([messageWrite('t', 1, 1, { body })]))).toMatchObject([{ content: { body } }]);
    }),
  );
});

test('changed messages are decoded as they were encoded', () => {
  const messages = [
    { token: 't', chat: 1, number: 2 },
    { token: 'u', chat: limits.highestNumber, number: limits.highestNumber },
  ];
  expect(decodeChanges(encodeChanges(messages))).toEqual(messages);
});

describe('the request ids of a record', () => {
  const id = '0b8f6c1e-5f5c-4a3d-9c55-0d0d6f3a2b11';
  const key = { token: 't', chat: 1, number: 2 };

  test('request ids are decoded as they were encoded', () => {
    expect(decodeWritesRecord(encodeWrites([deletionWrite('t')], [id]))).toMatchObject({ requests: [id] });
    const provenance = { requests: [id], at: 1_700_000_000_000 };
    expect(decodeChangesRecord(encodeChanges([key], provenance))).toEqual({ ...provenance, messages: [key] });
  });

  test('a record of an earlier version, or of a change without a client, has no request ids', () => {
    const before = [
      { version: 1, writes: [deletionWrite('t')] },
      { version: 1, messages: [key] },
    ];
    expect([encodeWrites([deletionWrite('t')]), encodeChanges([key])].map((body) => JSON.parse(body))).toEqual(before);
    expect(decodeWritesRecord(JSON.stringify(before[0])).requests).toEqual([]);
    expect(decodeChangesRecord(JSON.stringify(before[1]))).toMatchObject({ requests: [] });
  });

  test.for([['x'.repeat(37)], [7], 'text', null, {}])('invalid request ids lose no write: %j', (requests) => {
    const writes = [deletionWrite('t')];
    expect(decodeWritesRecord(JSON.stringify({ version: 1, requests, writes }))).toEqual({ requests: [], writes });
    const record = JSON.stringify({ version: 1, requests, at: requests, messages: [key] });
    expect(decodeChangesRecord(record)).toMatchObject({ requests: [], at: undefined, messages: [key] });
  });
});

describe('the format of records', () => {
  const id = '0b8f6c1e-5f5c-4a3d-9c55-0d0d6f3a2b11';
  const key = { token: 't', chat: 1, number: 2 };
  const writes = [
    applicationWrite('t', { at: 1, name: 'n' }),
    chatWrite('t', 1, { at: 2, name: null }),
    messageWrite('t', 1, 2, { at: 3, body: 'b' }),
    messageWrite('t', 1, 2, { revision: 1, at: 4, body: '' }),
    deletionWrite('t', 1, 2, 5),
    deletionWrite('t', 1, undefined, 6),
    deletionWrite('t', undefined, undefined, 7),
  ];
  // The records as the previous version wrote and read them.
  const previousWrites = `{"version":1,"requests":["${id}"],"writes":[${[
    '{"kind":"application","token":"t","revision":0,"at":1,"name":"n"}',
    '{"kind":"chat","token":"t","chat":1,"revision":0,"at":2,"name":null}',
    '{"kind":"message","token":"t","chat":1,"number":2,"revision":0,"at":3,"body":"b"}',
    '{"kind":"message","token":"t","chat":1,"number":2,"revision":1,"at":4,"body":""}',
    '{"kind":"deletion","token":"t","chat":1,"number":2,"at":5}',
    '{"kind":"deletion","token":"t","chat":1,"at":6}',
    '{"kind":"deletion","token":"t","at":7}',
  ].join(',')}]}`;
  const previousChanges = `{"version":1,"requests":["${id}"],"at":3,"messages":[{"token":"t","chat":1,"number":2}]}`;

  test('a record of the previous version is decoded by this version', () => {
    expect(decodeWritesRecord(previousWrites)).toEqual({ requests: [id], writes });
    expect(decodeChangesRecord(previousChanges)).toEqual({ requests: [id], at: 3, messages: [key] });
  });

  test('a record has the sender and the metadata, and an edit only what it sets', () => {
    const full = messageWrite('t', 1, 2, { at: 3, body: 'b', sender: 'ada', metadata: '{"n":1}' });
    const edit = (content: ContentChange): Write => ({ ...key, kind: 'message', revision: 1, at: 4, content });
    const writes = [full, edit({ metadata: '{"n":2}' }), edit({ metadata: null }), edit({ body: 'c', metadata: null })];
    expect(decodeWrites(encodeWrites(writes))).toEqual(writes);
    expect(
      JSON.parse(encodeWrites(writes)).writes.map(
        ({ kind, token, chat, number, at, ...rest }: Write & MessageKey) => rest,
      ),
    ).toEqual([
      { revision: 0, sender: 'ada', body: 'b', metadata: '{"n":1}' },
      { revision: 1, metadata: '{"n":2}' },
      { revision: 1, metadata: null },
      { revision: 1, body: 'c', metadata: null },
    ]);
  });

  test('a record of a chat has the metadata, and an edit only what it sets', () => {
    const key = { kind: 'chat', token: 't', chat: 1 } as const;
    const writes: Write[] = [
      { ...key, revision: 0, at: 1, name: null, metadata: '{"n":1}' },
      { ...key, revision: 1, at: 2, metadata: null },
      { ...key, revision: 2, at: 3, name: 'a' },
    ];
    expect(decodeWrites(encodeWrites(writes))).toEqual(writes);
    expect(() =>
      decodeWrites('{"version":1,"writes":[{"kind":"chat","token":"t","chat":1,"revision":0,"at":1}]}'),
    ).toThrow('writes.0.name: missing');
  });

  test('a record without sender and metadata has exactly the bytes of the previous version, so a create is no larger', () => {
    expect(encodeWrites(writes, [id])).toBe(previousWrites);
    expect(encodeChanges([key], { requests: [id], at: 3 })).toBe(previousChanges);
    const create = messageWrite('Q2lDXdH2R2GfSqkhVYzhGg', 100, 100_000, {
      at: 1_767_225_600_000,
      body: 'x'.repeat(80),
    });
    // Measured before records had a mapping of their own.
    expect(encodeWrites([create], [id])).toHaveLength(277);
  });

  test('a record has only the members of a write, whatever else the object in memory has', () => {
    const more: Write = Object.assign(messageWrite('t', 1, 2), { secret: 1 });
    expect(encodeWrites([more])).not.toContain('secret');
  });
});

describe('a record of a newer version', () => {
  const write = JSON.parse(encodeWrites([messageWrite('t', 1, 1)])).writes[0];
  const { body, ...edit } = { ...write, revision: 1 };
  test.for<[what: string, record: unknown, reason: RegExp]>([
    ['another version', { version: 2, writes: [write] }, /^version: unknown version 2;/],
    ['another version with another structure', { version: 2, entries: 'secret' }, /^version: unknown version 2;/],
    ['a new member beside the writes', { version: 1, writes: [write], shape: 'secret' }, /^record: unknown member;/],
    [
      'a new member of a message',
      { version: 1, writes: [{ ...write, mood: 'secret' }] },
      /^writes\.0: unknown member;/,
    ],
    [
      'an edit of a new member',
      { version: 1, writes: [write, { ...edit, mood: body }] },
      /^writes\.1: unknown member;/,
    ],
    ['a new member of a deletion', { version: 1, writes: [{ ...deletionWrite('t'), mood: 1 }] }, /^writes\.0: unknown/],
    ['a new kind', { version: 1, writes: [{ ...write, kind: 'secret' }] }, /^writes\.0\.kind: unknown kind;/],
  ])(
    'a record of a newer version is unknown and not malformed, without a quote of its content: %s',
    ([, record, reason]) => {
      const decoding = () => decodeWrites(JSON.stringify(record));
      expect(decoding).toThrow(UnknownRecord);
      expect(decoding).toThrow(reason);
      expect(decoding).not.toThrow(/secret|message 1/);
    },
  );

  test('a changed message with a new member is unknown and not malformed', () => {
    const record = JSON.stringify({ version: 1, messages: [{ token: 't', chat: 1, number: 1, mood: 1 }] });
    expect(() => decodeChanges(record)).toThrow(UnknownRecord);
  });
});

describe('a malformed record', () => {
  const write = JSON.parse(encodeWrites([messageWrite('t', 1, 1)])).writes[0];
  test.for<[what: string, record: unknown, reason: RegExp]>([
    ['no version', { writes: [write] }, /^version: /],
    ['no writes', { version: 1 }, /^writes: /],
    ['an empty list', { version: 1, writes: [] }, /^writes: /],
    ['a version that is a text', { version: '1', writes: [write] }, /^version: /],
    ['a kind that is not a text', { version: 1, writes: [{ ...write, kind: 7 }] }, /^writes\.0\.kind: /],
    [
      'a wrong value beside an unknown member',
      { version: 1, writes: [{ ...write, number: 0, mood: 1 }] },
      /^writes\.0\.number: /,
    ],
    ['number 0', { version: 1, writes: [{ ...write, number: 0 }] }, /^writes\.0\.number: /],
    ['a number with a fraction', { version: 1, writes: [write, { ...write, number: 1.5 }] }, /^writes\.1\.number: /],
    [
      'a number that is not a safe integer',
      { version: 1, writes: [{ ...write, number: 2 ** 53 }] },
      /^writes\.0\.number: /,
    ],
    ['a number above the highest', { version: 1, writes: [{ ...write, number: 2 ** 32 }] }, /^writes\.0\.number: /],
    ['a chat above the highest', { version: 1, writes: [{ ...write, chat: 2 ** 32 }] }, /^writes\.0\.chat: /],
    [
      'a revision above the highest',
      { version: 1, writes: [{ ...write, revision: 2 ** 32 }] },
      /^writes\.0\.revision: /,
    ],
    ['a time before 1970', { version: 1, writes: [{ ...write, at: -1 }] }, /^writes\.0\.at: /],
    ['a time after 9999', { version: 1, writes: [{ ...write, at: limits.latestTime + 1 }] }, /^writes\.0\.at: /],
    ['a negative revision', { version: 1, writes: [{ ...write, revision: -1 }] }, /^writes\.0\.revision: /],
    ['no body', { version: 1, writes: [{ ...write, body: undefined }] }, /^writes\.0\.body: /],
    ['no token', { version: 1, writes: [{ ...write, token: '' }] }, /^writes\.0\.token: /],
    ['a name that is null', { version: 1, writes: [{ ...applicationWrite('t'), name: null }] }, /^writes\.0\.name: /],
    ['a list', [write], /^record: /],
    ['null', null, /^record: /],
  ])('a record is malformed, with a reason that quotes none of its content: %s', ([, record, reason]) => {
    const decoding = () => decodeWrites(JSON.stringify(record));
    expect(decoding).toThrow(MalformedRecord);
    expect(decoding).toThrow(reason);
    expect(decoding).not.toThrow(/secret|message 1/);
  });

  test.for(['', 'secret', '{', '{"version":1', '\u0000'])('a record that is not JSON is malformed: %j', (body) => {
    for (const decode of [decodeWrites, decodeChanges]) {
      expect(() => decode(body)).toThrow(MalformedRecord);
      expect(() => decode(body)).toThrow(/^not JSON$/);
    }
  });

  test('a record of the other queue is malformed', () => {
    const key = { token: 't', chat: 1, number: 1 };
    expect(() => decodeChanges(encodeWrites([messageWrite('t', 1, 1)]))).toThrow(MalformedRecord);
    expect(() => decodeWrites(encodeChanges([key]))).toThrow(MalformedRecord);
  });
});
