import { expect, test } from 'vitest';
import {
  ArchiveProblem,
  decodeLine,
  type LineOf,
  messageLine,
  messageOf,
  metadataIn,
} from '../../lib/archive/format.ts';
import { limits } from '../../lib/limits.ts';
import { acceptableTexts, refusedTexts } from '../support/texts/names-and-bodies.ts';

const times = { created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' };
const application = { kind: 'application', token: 'Q2lDXdH2R2GfSqkhVYzhGg', revision: 0, highest: 0, ...times };
const chat = { kind: 'chat', number: 1, revision: 0, deleted: false, highest: 0, ...times };
const message = { kind: 'message', chat: 1, number: 1, revision: 0, ...times };
const fields = [
  { line: application, field: 'name', longest: limits.nameLength },
  { line: chat, field: 'name', longest: limits.nameLength },
  { line: message, field: 'body', longest: limits.bodyLength },
];

test.for(fields)('an archive keeps every storable $field of its $line.kind lines, and no other', (each) => {
  const { line, field, longest } = each;
  for (const { text } of acceptableTexts(longest))
    expect(decodeLine(JSON.stringify({ ...line, [field]: text }))).toEqual({ ...line, [field]: text });
  for (const { what, json } of refusedTexts(longest))
    expect(() => decodeLine(JSON.stringify({ ...line, [field]: JSON.parse(json) })), what).toThrow(`${field} must`);
  expect(() => decodeLine(JSON.stringify(line))).toThrow(new ArchiveProblem(`${field} is required`));
});

test('an archive keeps the sender and the metadata of a message, and reads lines of the first format, which have none', () => {
  const key = { token: application.token, chat: 1, number: 1 };
  const stored = { createdAt: 1, updatedAt: 2, revisions: { body: 1, metadata: 2 } };
  const content = { sender: 'ada', body: 'b', metadata: '{"n":[1,null],"__proto__":{"a":1}}' };
  const state = { ...stored, content };
  expect(messageOf(decodeLine(JSON.stringify(messageLine({ ...key, ...state }))) as LineOf<'message'>)).toEqual(state);
  expect(messageOf(decodeLine(JSON.stringify({ ...message, body: 'b' })) as LineOf<'message'>)).toMatchObject({
    content: { sender: null, body: 'b', metadata: null },
    revisions: { body: 0, metadata: 0 },
  });
  const withMetadata = decodeLine(JSON.stringify({ ...chat, name: null, metadata: { n: 1 } }));
  expect(metadataIn(withMetadata as LineOf<'chat'>)).toBe('{"n":1}');
  expect(decodeLine('{"kind":"archive","format":1}')).toEqual({ kind: 'archive', format: 1 });
  expect(() => decodeLine(JSON.stringify({ ...message, body: 'b', metadata: [] }))).toThrow('metadata must be');
  expect(() => decodeLine(JSON.stringify({ ...message, body: 'b', sender: ' ' }))).toThrow('sender must');
});

test('in an archive, a chat may have no name, but an application must have one', () => {
  expect(decodeLine(JSON.stringify({ ...chat, name: null }))).toMatchObject({ name: null });
  expect(() => decodeLine(JSON.stringify({ ...application, name: null }))).toThrow('name must be a string');
});

test.for([
  ['2015-12-01T09:30:00.123Z', '2015-12-01T09:30:00.123Z'],
  ['2015-12-01T09:30:00Z', '2015-12-01T09:30:00.000Z'],
  ['2015-12-01t09:30:00z', '2015-12-01T09:30:00.000Z'],
  ['2015-12-01 09:30:00Z', '2015-12-01T09:30:00.000Z'],
  ['2015-12-01T09:30:00.1Z', '2015-12-01T09:30:00.100Z'],
  ['2015-12-01T09:30:00.1239999999Z', '2015-12-01T09:30:00.123Z'],
  ['2015-12-01T09:30:00+01:00', '2015-12-01T08:30:00.000Z'],
  ['2015-12-01T00:30:00.5+05:45', '2015-11-30T18:45:00.500Z'],
  ['2015-12-31T23:30:00-23:59', '2016-01-01T23:29:00.000Z'],
  ['2015-12-01T09:30:00-00:00', '2015-12-01T09:30:00.000Z'],
  ['2016-02-29T00:00:00Z', '2016-02-29T00:00:00.000Z'],
  ['1970-01-01T01:00:00+01:00', '1970-01-01T00:00:00.000Z'],
  // A leap second.
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
  ['2017-01-01T00:59:60.5+01:00', '2016-12-31T23:59:59.999Z'],
  ['2012-06-30T18:59:60.25-05:00', '2012-06-30T23:59:59.999Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999Z'],
] as const)('an archive may write a time as %s', ([written, read]) => {
  expect(decodeLine(JSON.stringify({ ...application, name: 'a', created_at: written }))).toMatchObject({
    created_at: read,
  });
});

test.for([
  '1970-01-01T00:59:59+01:00',
  '1969-12-31T23:59:59.9Z',
  '2015-02-29T00:00:00Z',
  '2015-13-01T00:00:00Z',
  '2015-12-01T24:00:00Z',
  '2015-12-01T09:60:00Z',
  '2015-12-01T09:30:61Z',
  '2015-12-01T09:30:60Z',
  '2016-12-31T23:59:60+01:00',
  '1970-01-01T00:59:60+01:00',
  '2015-12-01T09:30Z',
  '2015-12-01T09:30:00',
  '2015-12-01T09:30:00.Z',
  '2015-12-01T09:30:00,5Z',
  '2015-12-01T09:30:00+0100',
  '2015-12-01T09:30:00+24:00',
  '2015-12-01T09:30:00+01:60',
  '20151201T093000Z',
  '2015-335T09:30:00Z',
  '2015-12-01T09:30:00Z ',
  '\u0662015-12-01T09:30:00Z',
])('an archive cannot write a time as %s', (written) => {
  expect(() => decodeLine(JSON.stringify({ ...application, name: 'a', created_at: written }))).toThrow(
    'created_at must be an RFC 3339 time from 1970-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z, such as',
  );
});
