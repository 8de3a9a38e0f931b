import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fewTrigrams } from '../../lib/search/sqlite/few-trigrams.ts';
import { fold } from '../../lib/search/text/fold.ts';
import { hardText, queryFor } from '../support/texts/hard-texts.ts';

test('the trigram condition for a query matches every text that contains the query, whatever the sample is', () => {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE VIRTUAL TABLE texts USING fts5 (body, tokenize='trigram case_sensitive 1')`);
  const insert = database.prepare('INSERT INTO texts (rowid, body) VALUES (?, ?)');
  const meeting = database.prepare('SELECT rowid FROM texts WHERE texts MATCH ?');
  const cases = fc
    .array(hardText.map(fold), { minLength: 1, maxLength: 8 })
    .chain((texts) =>
      fc.tuple(
        fc.constant(texts),
        fc.array(queryFor(texts).map(fold), { minLength: 8, maxLength: 8 }),
        fc.array(hardText.map(fold), { maxLength: 8 }),
      ),
    );
  fc.assert(
    fc.property(cases, ([texts, queries, others]) => {
      database.exec('DELETE FROM texts');
      for (const [i, text] of texts.entries()) insert.run(i, text);
      for (const q of queries.filter((query) => [...query].length >= 3))
        for (const sample of [texts, others, []]) {
          const found = meeting.all(`body : ${fewTrigrams(q, sample)}`).map(({ rowid }) => rowid);
          expect(found).toEqual(expect.arrayContaining(texts.flatMap((text, i) => (text.includes(q) ? [i] : []))));
        }
    }),
    { numRuns: 300 },
  );
});

const sample = ['the cat and the dog', 'the cat of the house', 'a dog and the moon', 'the man in the moon'];

test.for([
  // The rare trigrams.
  ['the xyz', 'NEAR("e x" " xy" "xyz", 1)'],
  // Of equally rare trigrams, those that share no characters.
  ['qxyz qrst', 'NEAR("qxy" "z q" "rst", 5)'],
  // The rarest, and then the rarest among its texts: half of the texts contain `and`, but the one with `ous` does not.
  ['and the house', 'NEAR("e h" "and" "ous", 8)'],
  ['"""the', 'NEAR("""""""" """""t" """th", 1)'],
  ['aaaaaa', '"aaa"'],
  ['abc', '"abc"'],
] as const)('the trigram condition for %j is %j', ([folded, condition]) => {
  expect(fewTrigrams(folded, sample)).toBe(condition);
});
