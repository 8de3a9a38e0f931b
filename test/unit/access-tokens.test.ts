import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessTokens, type Claims } from '../../lib/access/access-tokens.ts';
import { limits } from '../../lib/limits.ts';
import { permissions } from '../../lib/model/holder.ts';
import { newToken } from '../../lib/model/token.ts';
import { fixedSecret, type SystemKey } from '../../lib/system-secret.ts';

const secret = 's'.repeat(43);
/** Returns a new instance on each call, because an instance caches the access tokens that it opened. */
const tokens = (key = secret) => new AccessTokens(fixedSecret(key));
const withKeys = (...keys: [key: string, signsFrom: number][]) =>
  new AccessTokens({ keys: async () => keys.map(([key, signsFrom]): SystemKey => ({ key, signsFrom })) });
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const now = Date.now();

const claims = (change: Partial<Claims> = {}): Claims => ({
  token: newToken(),
  generation: 0,
  expiresAt: now + 60_000,
  sender: 'ada',
  chats: [1, 2],
  can: ['read'],
  ...change,
});
const anyClaims = fc
  .record({
    generation: fc.integer({ min: 0, max: now }),
    expiresAt: fc.integer({ min: 0, max: limits.latestTime }),
    sender: fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: limits.nameLength })),
    chats: fc.option(
      fc.array(fc.integer({ min: 1, max: limits.highestNumber }), {
        minLength: 1,
        maxLength: limits.accessToken.chats,
      }),
    ),
    can: fc.uniqueArray(fc.constantFrom(...permissions), { minLength: 1 }),
  })
  .map((change): Claims => claims(change));

test('an access token opens to its claims, whatever they are, and fits into the contract', async () => {
  await fc.assert(
    fc.asyncProperty(anyClaims, async (sealed) => {
      const text = await tokens().seal(sealed, now);
      expect(text).toMatch(/^[A-Za-z0-9_-]{20,4000}$/);
      expect(await tokens().open(text)).toEqual(sealed);
    }),
  );
});

test('the longest access token, whose sender JSON escapes and which has 100 long numbers, has at most 4,000 characters', async () => {
  const chats = Array.from({ length: limits.accessToken.chats }, (_, i) => limits.highestNumber - i);
  const lengths: number[] = [];
  // Four bytes of UTF-8, and six characters of JSON.
  for (const character of ['\u{1f600}', '\u0001'])
    lengths.push(
      (
        await tokens().seal(
          claims({
            generation: limits.latestTime,
            expiresAt: limits.latestTime,
            sender: character.repeat(limits.nameLength),
            chats,
            can: [...permissions],
          }),
          now,
        )
      ).length,
    );
  expect(lengths).toEqual([2_987, 3_667]);
});

test('two access tokens with the same claims have no part in common, and none contains the token of the application', async () => {
  const same = claims();
  const [one, other] = [await tokens().seal(same, now), await tokens().seal(same, now)];
  for (let i = 0; i + 8 <= one.length; i++) expect(other).not.toContain(one.slice(i, i + 8));
  for (const bytes of [Buffer.from(one, 'base64url'), Buffer.from(one)]) {
    expect(bytes.includes(same.token)).toBe(false);
    expect(bytes.includes(Buffer.from(same.token, 'base64url'))).toBe(false);
  }
});

describe('tampering', () => {
  // All changes of 1,000 access tokens are 9,000,000, which take ten minutes: TAMPERING=full makes them all. Otherwise
  // two access tokens have every change, and of each other one every tenth character is changed in one bit.
  const isFull = process.env.TAMPERING === 'full';
  test('an access token with one character changed never opens', { timeout: isFull ? 3_600_000 : 30_000 }, async () => {
    const reader = tokens();
    for (let made = 0; made < (isFull ? 1_000 : 300); made++) {
      const text = await reader.seal(claims({ sender: null, chats: null }), now);
      const isWhole = isFull || made < 2;
      for (let i = isWhole ? 0 : made % 10; i < text.length; i += isWhole ? 1 : 10) {
        const index = alphabet.indexOf(text[i] as string);
        const changes = isWhole ? [...alphabet] : [alphabet[index ^ (1 << (made % 6))]];
        for (const character of changes) {
          const changed = text.slice(0, i) + character + text.slice(i + 1);
          if (changed !== text && (await reader.open(changed)) !== undefined)
            expect.fail(`${text} opens with character ${i} changed to ${character}`);
        }
      }
      expect(await reader.open(text)).toBeDefined();
    }
  });

  test('an access token that is cut, extended, joined or written in another way never opens', async () => {
    // With a length of each remainder of 3, Base64 leaves 0, 2 or 4 bits of the last character unused.
    for (const sender of ['a', 'ab', 'abc']) {
      const text = await tokens().seal(claims({ sender }), now);
      const other = await tokens().seal(claims({ sender: 'bob' }), now);
      const standard = Buffer.from(text, 'base64url').toString('base64');
      const forged = [
        ...[...text].map((_, i) => text.slice(0, i)),
        ...[...text].map((_, i) => text.slice(i + 1)),
        ...['A', '=', '==', '.', '.A', ' ', '\n', '!', '%3D'].flatMap((tail) => [text + tail, tail + text]),
        ...['=', '\n', '!', '+'].map((junk) => text.slice(0, 50) + junk + text.slice(50)),
        ...[...text].map((_, i) => text.slice(0, i) + other.slice(i)).filter((joined) => joined !== other),
        ...[...alphabet].map((last) => text.slice(0, -1) + last),
        ...[text.toLowerCase(), text + text, standard, standard.replaceAll('=', ''), `${text}=`],
      ];
      for (const one of forged) if (one !== text) expect(await tokens().open(one), one).toBeUndefined();
    }
  });

  test('a text that is no access token never opens', async () => {
    const texts = ['', 'A', '.', 'nonsense', 'A'.repeat(43), 'A'.repeat(44), '{}', 'null', 'eyJhbGciOiJub25lIn0.e30.'];
    for (const text of [...texts, 'A'.repeat(4_000), 'A'.repeat(4_004)])
      expect(await tokens().open(text)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await tokens().open(Buffer.from(bytes).toString('base64url'))).toBeUndefined();
      }),
    );
  });
});

describe('the keys of the system secret', () => {
  const hourMs = 3_600_000;
  const [older, newer] = ['o'.repeat(43), 'n'.repeat(43)];

  test('an access token opens with any key of the system secret, and not with another', async () => {
    const text = await tokens(older).seal(claims(), now);
    expect(await withKeys([newer, 0], [older, 0]).open(text)).toBeDefined();
    expect(await tokens(newer).open(text)).toBeUndefined();
  });

  test('an access token is sealed with the newest key that already signs', async () => {
    const both = withKeys([newer, now + hourMs], [older, 0]);
    expect(await tokens(older).open(await both.seal(claims(), now))).toBeDefined();
    const later = withKeys([newer, now], [older, 0]);
    expect(await tokens(newer).open(await later.seal(claims(), now))).toBeDefined();
  });

  test('an access token that was opened before no longer opens after its key is removed from the system secret', async () => {
    let keys: SystemKey[] = [{ key: older, signsFrom: 0 }];
    const reader = new AccessTokens({ keys: async () => keys });
    const text = await reader.seal(claims(), now);
    expect(await reader.open(text)).toBeDefined();
    keys = [{ key: newer, signsFrom: 0 }];
    expect(await reader.open(text)).toBeUndefined();
  });

  test('an earlier key verifies for longer than the longest lifetime of an access token', () => {
    expect(limits.systemSecret.verifiesMs).toBeGreaterThan(limits.accessToken.lifetime.max * 1_000);
  });
});

test('an access token with an unknown or invalid claim does not open, so a claim of a later release is never ignored', async () => {
  const odd = [
    { ...claims(), can: ['read', 'admin'] as never },
    { ...claims(), token: 'no token' },
    { ...claims(), chats: [0] },
    { ...claims(), generation: -1 },
  ];
  for (const sealed of odd) expect(await tokens().open(await tokens().seal(sealed, now))).toBeUndefined();
});

test('however many access tokens are opened, a limited number is remembered', async () => {
  const reader = tokens();
  const texts: string[] = [];
  for (let i = 0; i < limits.accessToken.remembered + 10; i++) texts.push(await reader.seal(claims(), now));
  for (const text of texts) await reader.open(text);
  expect(reader.remembered).toBe(limits.accessToken.remembered);
  for (const text of texts.slice(0, 20)) expect(await reader.open(text)).toBeDefined();
});
