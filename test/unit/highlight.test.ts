import fc from 'fast-check';
import { expect, test } from 'vitest';
import { highlight } from '../../lib/search/text/highlight.ts';
import { hardText, queryFor } from '../support/texts/hard-texts.ts';
import { matcher } from '../support/texts/scan.ts';

test.for([
  ['Hello, world', 'ello, w', 'H<em>ello, w</em>orld'],
  ['Hello, world', 'O', 'Hell<em>o</em>, w<em>o</em>rld'],
  ['hello', 'hello', '<em>hello</em>'],
  ['hello', 'x', 'hello'],
  // Leftmost matches without overlaps.
  ['aaaaa', 'aa', '<em>aa</em><em>aa</em>a'],
  ['abababa', 'aba', '<em>aba</em>b<em>aba</em>'],
  ['Straße STRAẞE', 'straße', '<em>Straße</em> <em>STRAẞE</em>'],
  ['ΣΊΣΥΦΟΣ', 'ς', '<em>Σ</em>Ί<em>Σ</em>ΥΦΟ<em>Σ</em>'],
  ['\u{1F600}\u{1F601}\u{1F600}', '\u{1F600}', '<em>\u{1F600}</em>\u{1F601}<em>\u{1F600}</em>'],
  ['\u{10400}x', '\u{10428}', '<em>\u{10400}</em>x'],
] as const)('in the text %j, the query %j is highlighted: %j', ([text, q, html]) => {
  expect(highlight(text, q)).toBe(html);
});

test.for([
  [`<b>"Tom" & 'Jerry'</b>`, 'tom', '&lt;b&gt;&quot;<em>Tom</em>&quot; &amp; &#39;Jerry&#39;&lt;/b&gt;'],
  ['a < b', '<', 'a <em>&lt;</em> b'],
  ['a & b', '&', 'a <em>&amp;</em> b'],
  ['<em>x</em>', 'em', '&lt;<em>em</em>&gt;x&lt;/<em>em</em>&gt;'],
  // The characters of an entity are not part of the text.
  ['a & b', 'amp', 'a &amp; b'],
  ['&amp;', 'amp;', '&amp;<em>amp;</em>'],
] as const)('HTML in %j is escaped', ([text, q, html]) => {
  expect(highlight(text, q)).toBe(html);
});

test('a highlight without tags and entities is the text, and its matches are those of the regular expression', () => {
  const plain = (html: string) =>
    html.replace(
      /&(amp|lt|gt|quot|#39);/g,
      (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] as string,
    );
  const cases = hardText.chain((text) => fc.tuple(fc.constant(text), queryFor([text])));
  fc.assert(
    fc.property(cases, ([text, q]) => {
      const html = highlight(text, q);
      expect(html.replaceAll(/<\/?em>/g, '')).not.toMatch(/[<>"']/);
      expect(plain(html.replaceAll(/<\/?em>/g, ''))).toBe(text);
      const marked = html.matchAll(/<em>(.*?)<\/em>/gs).map(([, match]) => plain(match as string));
      expect([...marked]).toEqual(text.match(matcher(q, 'g')) ?? []);
    }),
    { numRuns: 1_000 },
  );
});
