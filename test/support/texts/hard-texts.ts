import fc from 'fast-check';

// Texts that are difficult to fold, tokenize, quote or escape.

/** Characters and words with a meaning in SQL, FTS5, regular expressions, HTML or JSON. */
const operators = ['*', '?', '%', '_', '\\', '"', '`', "'", '(', ')', '^', ':', '-', '+', '{', '}', '[', ']', '.', '|'];
const words = ['AND', 'OR', 'NOT', 'NEAR', '<em>', '</em>', '&amp;', 'body', 'application', '--', '/*'];
const space = [' ', '\t', '\r', '\n', '\u0001', '\u001b', '\u007f', '\u0085', '\u00a0', '\u2028', '\u3000', '\ufeff'];
/** Characters with more than two case variants, with variants of different lengths, or that only look alike. */
const cases = [
  ...'ßẞİIıiςσΣKKkÅÅåſSsǅǄǆΩΩωµμΜϐβΒꭰᏰᲀвВᾳᾼẛṡṠꙋᲈ',
  '\u{10400}',
  '\u{10428}',
  '\u{1E900}',
  '\u{1E922}',
  '\u0345',
  '\u03b9',
  '\u1fbe',
];
const marks = [
  '\u0301',
  '\u0307',
  'e\u0301',
  'é',
  '\u200d',
  '\ufe0f',
  '\u202e',
  'א',
  'ב',
  'م',
  'ل',
  '\u0e33',
  '한',
  '中',
  '文',
];
/** The boundaries of UTF-8 and UTF-16. SQLite replaces some of these with U+FFFD. */
const edges = [
  '\u{7ff}',
  '\u{800}',
  '\ud7ff',
  '\ue000',
  '\ufdd0',
  '\ufffd',
  '\ufffe',
  '\uffff',
  '\u{10000}',
  '\u{1fffe}',
  '\u{1ffff}',
  '\u{10ffff}',
];

const anyCharacter = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .filter((character) => character !== '\0');

const hardPiece = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'A', 'b', 'B', 'aB') },
  { weight: 4, arbitrary: fc.constantFrom(...cases) },
  { weight: 3, arbitrary: fc.constantFrom(...operators) },
  { weight: 2, arbitrary: fc.constantFrom(...words) },
  { weight: 2, arbitrary: fc.constantFrom(...space) },
  { weight: 2, arbitrary: fc.constantFrom(...marks) },
  { weight: 2, arbitrary: fc.constantFrom(...edges) },
  { weight: 2, arbitrary: anyCharacter },
);

/** Returns the first `count` code points of a text. */
export const firstCharacters = (text: string, count: number): string => [...text].slice(0, count).join('');

/** A unit of one to three characters repeated, sometimes with another character in between. */
const repetitive: fc.Arbitrary<string[]> = fc
  .record({
    unit: fc.array(fc.constantFrom('a', 'A', 'b', '=', '\u{1F600}', '\u0301', 'я'), { minLength: 1, maxLength: 3 }),
    length: fc.integer({ min: 1, max: 40 }),
    at: fc.nat(39),
    other: fc.constantFrom('', 'b', '-', 'я'),
  })
  .map(({ unit, length, at, other }) => {
    const text = Array.from({ length }, (_, i) => unit[i % unit.length] as string);
    return [...text.slice(0, at), other, ...text.slice(at)];
  });

/** Up to 40 code points without U+0000: few different characters, so that queries match, or any of Unicode. */
export const hardText: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.array(hardPiece, { minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.array(anyCharacter, { minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom('a', 'A', 'ſ', 's'), { minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: repetitive },
  )
  .map((pieces) => firstCharacters(pieces.join(''), 40));

/** A part of one of the texts, sometimes in another case, or a new text, of 1 to 40 code points. */
export const queryFor = (texts: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .record({
          text: fc.constantFrom(...texts),
          at: fc.nat(39),
          length: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
          change: fc.constantFrom(
            (text: string) => text,
            (text: string) => text.toUpperCase(),
            (text: string) => text.toLowerCase(),
          ),
        })
        .map(({ text, at, length, change }) => {
          const characters = [...text];
          const start = at % characters.length;
          return firstCharacters(change(characters.slice(start, start + length).join('')), 40);
        }),
    },
    { weight: 1, arbitrary: hardText },
    { weight: 1, arbitrary: hardPiece },
  );

/** Queries of OpenSearch, FTS5, SQL, regular expressions and others, HTML, and escapes of U+0000. */
export const queryLanguages = [
  ...[
    '*',
    '*:*',
    '?',
    'a*',
    '*a',
    'body:a',
    '_exists_:body',
    '/a.*/',
    'a~2',
    '"a b"~3',
    'a^5',
    '+a -b',
    'a && b || !c',
  ],
  ...[
    '[1 TO 5]',
    '{* TO z}',
    '>=1',
    'a AND (b OR NOT c)',
    'NEAR(a b, 2)',
    '{body} : a',
    '^a',
    '"a" + "b"',
    'body MATCH a',
  ],
  ...[
    "' OR '1'='1",
    "'; DROP TABLE messages; --",
    '%',
    '_',
    'a%b',
    "a' ESCAPE '",
    '/*!50000 a */',
    '0x61',
    '`a`',
    '""',
    '"',
  ],
  ...[
    '.',
    '.*',
    '^$',
    '[^a]',
    '(?i)a',
    '(a+)+$',
    'a{1,9}',
    'a|b',
    '\\',
    '\\d',
    '\\Qa\\E',
    '(?<a>.)\\k<a>',
    '$\u007ba}',
    '{{a}}',
  ],
  ...[
    '{"match_all":{}}',
    '{"$ne":null}',
    '<b>a</b>',
    '<em>',
    '&lt;',
    '&#97;',
    '<!-- a -->',
    '%61',
    '%00',
    '\\u0000',
    '\\0',
    '\\x00',
  ],
];
