import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asToken, newToken } from '../../lib/model/token.ts';
import { numbers } from '../support/histories/writes.ts';

test('asToken returns a new token unchanged', () => {
  for (const _ of numbers(1, 1_000)) {
    const token = newToken();
    expect(asToken(token)).toBe(token);
  }
});

test('asToken returns the same token for every invalid text, and no application has that token', () => {
  const token = newToken();
  const nobody = asToken('');
  expect(nobody).toMatch(/^[A-Za-z0-9_-]{22}$/);
  // The last character has bits that a generated token never has.
  expect(Buffer.from(nobody, 'base64url').toString('base64url')).not.toBe(nobody);
  for (const text of [
    `${token} `,
    ` ${token}`,
    token.slice(1),
    `${token}A`,
    'é'.repeat(22),
    "'; --",
    'x'.repeat(3_000),
  ])
    expect(asToken(text)).toBe(nobody);
});

test('asToken returns a text unchanged exactly when it has the form of a token', () => {
  const nobody = asToken('');
  const alphabet = fc.constantFrom(...'AQgwaz09-_');
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: alphabet, minLength: 20, maxLength: 24 }),
    fc.string({ unit: alphabet, minLength: 22, maxLength: 22 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const couldBe = /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);
      expect(asToken(text)).toBe(couldBe ? text : nobody);
    }),
    { numRuns: 2_000 },
  );
});
