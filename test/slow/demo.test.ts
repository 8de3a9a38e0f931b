import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../lib/limits.ts';
import { inBatches } from '../../tools/demo/batches.ts';
import { excerpt } from '../../tools/demo/excerpt.ts';
import { probes } from '../../tools/demo/probes.ts';
import { readDeclarations } from '../../tools/texts/declarations.ts';
import { textBlocks } from '../../tools/texts/text-blocks.ts';
import { matcher } from '../support/texts/scan.ts';

test('the text blocks of a page are its headings, paragraphs and items, as a reader sees them', () => {
  const page = `<!doctype html><html><head><title>not this</title></head><body><h1>All &amp; one</h1>
    <p>A  line
      and <em>another</em></p><p> </p><ul><li>first</li><li>second</li></ul></body></html>`;
  expect(textBlocks(page)).toEqual(['All & one', 'A line and another', 'first', 'second']);
});

test('over 500 declarations are read, and each text is one that the API takes', () => {
  const declarations = readDeclarations();
  expect(declarations.length).toBeGreaterThan(500);
  expect(new Set(declarations.map(({ code }) => code)).size).toBe(declarations.length);
  for (const { paragraphs } of declarations) {
    expect(paragraphs.length).toBeGreaterThan(0);
    for (const text of paragraphs) expect([...text].length).toBeLessThanOrEqual(limits.bodyLength);
  }
});

test('batches hold every message once, in order, within the limits of number and size', () => {
  const texts = fc.array(fc.string({ maxLength: 50 }), { maxLength: 2_500 });
  fc.assert(
    fc.property(texts, (bodies) => {
      const messages = bodies.map((body) => ({ sender: 'ada', body }));
      const batches = inBatches(messages);
      expect(batches.flat()).toEqual(messages);
      for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(limits.batchSize);
    }),
    { numRuns: 20 },
  );
  const large = inBatches(
    Array.from({ length: 300 }, () => ({ body: 'é'.repeat(5_000), metadata: { a: 'é'.repeat(500) } })),
  );
  expect(large.length).toBeGreaterThan(1);
  for (const batch of large) {
    const request = JSON.stringify({ messages: batch });
    expect(Buffer.byteLength(request)).toBeLessThanOrEqual(limits.requestBytes);
  }
});

test('each probe finds the number of texts that it states, and together they find every text', () => {
  const texts = ['one two', 'three', '一二三', 'ǅ'];
  const found = probes(texts);
  for (const { q, total } of found) expect(texts.filter((text) => matcher(q).test(text))).toHaveLength(total);
  expect(texts.every((text) => found.some(({ q }) => matcher(q).test(text)))).toBe(true);
});

test('an excerpt is plain text around the first match', () => {
  const emphasise = (text: string) => `[${text}]`;
  expect(excerpt('a &lt;b&gt; <em>match</em> &amp; more', emphasise)).toBe('a <b> [match] & more');
  const long = excerpt(`${'x'.repeat(100)}<em>here</em>${'y'.repeat(100)}`, emphasise);
  expect(long).toMatch(/^…x{30}\[here\]y{30}…$/);
});
