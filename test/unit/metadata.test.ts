import { describe, expect, test } from 'vitest';
import { type Metadata, metadataFault, metadataText, parsedMetadata } from '../../lib/model/metadata.ts';

const nested = (levels: number): unknown => (levels === 1 ? {} : { a: nested(levels - 1) });
const sized = (bytes: number): Metadata => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });

describe('metadata', () => {
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['values of all kinds', { a: [1, -0.5, 5e-324, true, null, 'x', [], {}], '': ' ', é: '\u{1F469}' }],
    ['names that JavaScript treats specially', JSON.parse('{"__proto__":{"a":1},"toJSON":"x","constructor":null}')],
    ['10 levels', nested(10)],
    ['10 levels with arrays', { a: [[[[[[[[[]]]]]]]]] }],
    ['4,096 bytes', sized(4_096)],
    ['4,096 bytes in characters of three bytes', { a: `${'€'.repeat(1_362)}xx` }],
  ])('metadata with %s is stored and returned as it is', (_, value) => {
    expect(metadataFault(value)).toBeUndefined();
    const returned = parsedMetadata(metadataText(value as Metadata));
    expect(JSON.stringify(returned)).toBe(JSON.stringify(value));
  });

  test.each<[string, unknown, string]>([
    ['null', null, 'must be a JSON object'],
    ['an array', [], 'must be a JSON object'],
    ['a text', '{}', 'must be a JSON object'],
    ['11 levels', nested(11), 'must have at most 10 levels'],
    ['11 levels, the last an array', { a: [[[[[[[[[[]]]]]]]]]] }, 'must have at most 10 levels'],
    ['4,097 bytes', sized(4_097), 'must have at most 4096 bytes of JSON'],
    ['4,097 bytes in longer characters', { a: `${'€'.repeat(1_363)}` }, 'must have at most 4096 bytes of JSON'],
    ['4,097 bytes of escapes', { a: '\n'.repeat(2_045) }, 'must have at most 4096 bytes of JSON'],
    ['very many values', { a: Array.from({ length: 100_000 }, () => 0) }, 'must have at most 4096 bytes of JSON'],
    ['a number beyond the range of doubles', JSON.parse('{"a":1e400}'), 'must not have a number that is too large'],
    ['a lone surrogate', { a: '\ud800' }, 'must not have a lone surrogate'],
    ['a lone surrogate in a name', { 'a\udc00': 1 }, 'must not have a lone surrogate'],
    ['U+0000', { a: ['\0'] }, 'must not have the character U+0000'],
    ['U+0000 in a name', { '\0': 1 }, 'must not have the character U+0000'],
  ])('metadata that is or has %s is refused', (_, value, fault) => {
    expect(metadataFault(value)).toBe(fault);
  });

  test('the empty object is stored as null', () => {
    expect(metadataText({})).toBeNull();
    expect(parsedMetadata(null)).toEqual({});
  });
});
