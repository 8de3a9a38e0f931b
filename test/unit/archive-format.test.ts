import { expect, test } from 'vitest';
import { ArchiveProblem, decodeLine } from '../../lib/archive/format.ts';
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

test('in an archive, a chat may have no name, but an application must have one', () => {
  expect(decodeLine(JSON.stringify({ ...chat, name: null }))).toMatchObject({ name: null });
  expect(() => decodeLine(JSON.stringify({ ...application, name: null }))).toThrow('name must be a string');
});
