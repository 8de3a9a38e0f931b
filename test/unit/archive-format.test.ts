import { expect, test } from 'vitest';
import { ArchiveProblem, decodeLine, type LineOf, messageLine, messageOf } from '../../lib/archive/format.ts';
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
  expect(decodeLine('{"kind":"archive","format":1}')).toEqual({ kind: 'archive', format: 1 });
  expect(() => decodeLine(JSON.stringify({ ...message, body: 'b', metadata: [] }))).toThrow('metadata must be');
  expect(() => decodeLine(JSON.stringify({ ...message, body: 'b', sender: ' ' }))).toThrow('sender must');
});

test('in an archive, a chat may have no name, but an application must have one', () => {
  expect(decodeLine(JSON.stringify({ ...chat, name: null }))).toMatchObject({ name: null });
  expect(() => decodeLine(JSON.stringify({ ...application, name: null }))).toThrow('name must be a string');
});
