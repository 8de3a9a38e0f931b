import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import {
  decodeChanges,
  decodeChangesRecord,
  decodeWrites,
  decodeWritesRecord,
  encodeChanges,
  encodeWrites,
  MalformedRecord,
} from '../../lib/queue/records.ts';
import { hardText } from '../support/hard-texts.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite } from '../support/writes.ts';

test('writes come out of a record as they went in, in their order', () => {
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
      expect(decodeWrites(encodeWrites([messageWrite('t', 1, 1, { body })]))).toMatchObject([{ body }]);
    }),
  );
});

test('changed messages come out of a record as they went in', () => {
  const messages = [
    { token: 't', chat: 1, number: 2 },
    { token: 'u', chat: limits.highestNumber, number: limits.highestNumber },
  ];
  expect(decodeChanges(encodeChanges(messages))).toEqual(messages);
});

describe('the requests that a record comes from', () => {
  const id = '0b8f6c1e-5f5c-4a3d-9c55-0d0d6f3a2b11';
  const key = { token: 't', chat: 1, number: 2 };

  test('come out of it as they went in', () => {
    expect(decodeWritesRecord(encodeWrites([deletionWrite('t')], [id]))).toMatchObject({ requests: [id] });
    const origin = { requests: [id], at: 1_700_000_000_000 };
    expect(decodeChangesRecord(encodeChanges([key], origin))).toEqual({ ...origin, messages: [key] });
  });

  test('are none in a record of a version before, or of what no client asked for', () => {
    const before = [
      { version: 1, writes: [deletionWrite('t')] },
      { version: 1, messages: [key] },
    ];
    expect([encodeWrites([deletionWrite('t')]), encodeChanges([key])].map((body) => JSON.parse(body))).toEqual(before);
    expect(decodeWritesRecord(JSON.stringify(before[0])).requests).toEqual([]);
    expect(decodeChangesRecord(JSON.stringify(before[1]))).toMatchObject({ requests: [] });
  });

  test.for([['x'.repeat(37)], [7], 'text', null, {}])('that are not understood lose no write: %j', (requests) => {
    const record = JSON.stringify({
      version: 1,
      requests,
      at: requests,
      writes: [deletionWrite('t')],
      messages: [key],
    });
    expect(decodeWritesRecord(record)).toMatchObject({ requests: [], writes: [deletionWrite('t')] });
    expect(decodeChangesRecord(record)).toMatchObject({ requests: [], at: undefined, messages: [key] });
  });
});

test('members that are not known are left out', () => {
  const record = { version: 1, writes: [{ ...deletionWrite('t'), colour: 'red' }], shape: 'round' };
  expect(decodeWrites(JSON.stringify(record))).toEqual([deletionWrite('t')]);
});

describe('malformed is, with a reason that quotes none of its content:', () => {
  const write = messageWrite('t', 1, 1);
  test.for<[what: string, record: unknown, reason: RegExp]>([
    ['another version', { version: 2, writes: [write] }, /^version: /],
    ['no version', { writes: [write] }, /^version: /],
    ['no writes', { version: 1 }, /^writes: /],
    ['an empty list', { version: 1, writes: [] }, /^writes: /],
    ['an unknown kind', { version: 1, writes: [{ ...write, kind: 'secret' }] }, /^writes\.0\.kind: /],
    ['number 0', { version: 1, writes: [{ ...write, number: 0 }] }, /^writes\.0\.number: /],
    ['half a number', { version: 1, writes: [write, { ...write, number: 1.5 }] }, /^writes\.1\.number: /],
    ['a number beyond the safe ones', { version: 1, writes: [{ ...write, number: 2 ** 53 }] }, /^writes\.0\.number: /],
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
  ])('%s', ([, record, reason]) => {
    const decoding = () => decodeWrites(JSON.stringify(record));
    expect(decoding).toThrow(MalformedRecord);
    expect(decoding).toThrow(reason);
    expect(decoding).not.toThrow(/secret|message 1/);
  });

  test.for(['', 'secret', '{', '{"version":1', '\u0000'])('what is not JSON: %j', (body) => {
    for (const decode of [decodeWrites, decodeChanges]) {
      expect(() => decode(body)).toThrow(MalformedRecord);
      expect(() => decode(body)).toThrow(/^not JSON$/);
    }
  });

  test('a record of the other queue', () => {
    const key = { token: 't', chat: 1, number: 1 };
    expect(() => decodeChanges(encodeWrites([write]))).toThrow(MalformedRecord);
    expect(() => decodeWrites(encodeChanges([key]))).toThrow(MalformedRecord);
  });
});
