// Names and bodies according to the contract: Unicode code points, not blank, no U+0000, no lone surrogate.

/** Texts that are kept exactly as they are, up to the longest one. */
export const acceptableTexts = (longest: number): { what: string; text: string }[] => [
  { what: 'one character', text: 'x' },
  { what: 'the longest', text: 'x'.repeat(longest) },
  { what: 'the longest, beyond the BMP', text: '😀'.repeat(longest) },
  { what: 'spaces and line ends around it', text: ' \t in the middle \r\n' },
  { what: 'composed and decomposed letters', text: 'é e\u0301 Å \u212B ﬁ' },
  { what: 'quotes, backslashes and percent signs', text: `"'\\ %_* \`;--` },
  { what: 'control characters', text: '\u0001\u0008\u001b\u007f\u0085x' },
  { what: 'non-characters', text: '\uffff\ufffe\ufdd0\u{10ffff}' },
  { what: 'separators', text: 'a\u2028b\u2029c' },
  { what: 'a byte order mark', text: '\ufeff' },
  { what: 'a zero width space, which is not White_Space', text: '\u200b' },
  { what: 'right-to-left and joiners', text: 'שלום عالم 👩‍👩‍👧‍👦 \u202eabc' },
  { what: 'several scripts', text: 'Ωmega Привет 世界 नमस्ते ไทย 🏳️‍🌈' },
  { what: 'something like a number', text: '1.50' },
  { what: 'something like HTML', text: '<script>alert(1)</script>' },
];

/** Texts that are refused, as JSON. */
export const refusedTexts = (longest: number): { what: string; json: string }[] => [
  { what: 'is empty', json: '""' },
  { what: 'is all spaces', json: '"   "' },
  {
    what: 'is all White_Space',
    json: '"\\t\\n\\u000b\\f\\r \\u0085\\u00a0\\u1680\\u2003\\u2028\\u2029\\u202f\\u205f\\u3000"',
  },
  { what: 'is a character too long', json: JSON.stringify('x'.repeat(longest + 1)) },
  { what: 'is a character too long, beyond the BMP', json: JSON.stringify('𝔞'.repeat(longest + 1)) },
  { what: 'has U+0000', json: '"a\\u0000b"' },
  { what: 'has a lone high surrogate', json: '"a\\ud800b"' },
  { what: 'has a lone low surrogate', json: '"\\udc00"' },
  { what: 'has swapped surrogates', json: '"\\udc00\\ud800"' },
];
