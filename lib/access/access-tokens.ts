import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { limits } from '../limits.ts';
import { isNumber, isTime } from '../model/bounds.ts';
import { type CurrentHolder, permissions } from '../model/holder.ts';
import { isToken } from '../model/token.ts';
import { derivedKey, type SystemSecret, signingKey } from '../system-secret.ts';

/** What an access token says. */
export interface Claims extends CurrentHolder {
  /** The application's token. */
  token: string;
}

const algorithm = 'aes-256-gcm';
const purpose = 'access tokens';
const saltBytes = 16;
const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16];

/**
 * The claims in an access token, as JSON. The tuple is exact, so a release refuses a token with a claim that it does
 * not know, because the claim may restrict what the token allows.
 */
const sealedClaims = z.pipe(
  z.tuple([
    z.string().check(z.refine(isToken)),
    z.int().check(z.gte(0)),
    z.number().check(z.refine(isTime)),
    z.nullable(z.string()),
    z.nullable(z.array(z.number().check(z.refine(isNumber)))),
    z.array(z.enum(permissions)),
  ]),
  z.transform(
    ([token, generation, expiresAt, sender, chats, can]): Claims => ({
      token,
      generation,
      expiresAt,
      sender,
      chats,
      can,
    }),
  ),
);

/** An access token that was opened before. */
interface Opened {
  claims: Claims;
  /** The key of the system secret that sealed it. */
  key: string;
}

/**
 * Makes and reads access tokens: base64url of a salt, the encrypted claims and their authentication tag
 * (docs/decisions/0020-access-tokens.md). Nothing about them is stored.
 */
export class AccessTokens {
  readonly #secret: SystemSecret;
  readonly #opened = new Map<string, Opened>();

  constructor(secret: SystemSecret) {
    this.#secret = secret;
  }

  /**
   * Returns an access token, which matches `^[A-Za-z0-9_-]+$` and has at most `limits.accessToken.length` characters.
   *
   * @param now selects the key of the system secret that seals, in milliseconds since 1970
   * @throws Unavailable when the system secret cannot be read
   */
  async seal({ token, generation, expiresAt, sender, chats, can }: Claims, now: number): Promise<string> {
    const { key } = signingKey(await this.#secret.keys(), now);
    const salt = randomBytes(saltBytes);
    const cipher = createCipheriv(algorithm, ...derived(key, salt));
    const text = JSON.stringify([token, generation, expiresAt, sender, chats, can]);
    return Buffer.concat([salt, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /**
   * Returns the claims of an access token that this system made; undefined for any other text. Whether the access token
   * has expired or was ended is not checked.
   *
   * @throws Unavailable when the system secret cannot be read
   */
  async open(text: string): Promise<Claims | undefined> {
    const keys = await this.#secret.keys();
    const known = this.#opened.get(text);
    // A key may have been removed from the secret, to end everything that it sealed.
    if (known && keys.some(({ key }) => key === known.key)) return known.claims;
    const opened = open(
      text,
      keys.map(({ key }) => key),
    );
    if (opened) this.#remember(text, opened);
    return opened?.claims;
  }

  /** The number of access tokens that are remembered. */
  get remembered(): number {
    return this.#opened.size;
  }

  /** Remembers an access token, because opening it takes much longer than finding it here. */
  #remember(text: string, opened: Opened): void {
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined && this.#opened.size >= limits.accessToken.remembered) this.#opened.delete(oldest);
    this.#opened.set(text, opened);
  }
}

/**
 * Returns the key and the nonce of one access token. Each has its own, because a key of AES-GCM must not seal more than
 * 2^32 texts with random nonces, and the embedded engine never changes its secret.
 */
function derived(key: string, salt: Buffer): [key: Buffer, nonce: Buffer] {
  const bytes = derivedKey(key, purpose, { salt, bytes: keyBytes + nonceBytes });
  return [bytes.subarray(0, keyBytes), bytes.subarray(keyBytes)];
}

function open(text: string, keys: readonly string[]): Opened | undefined {
  if (text.length > limits.accessToken.length) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // An access token has exactly one valid spelling, although Base64 allows many.
  if (bytes.length <= saltBytes + tagBytes || bytes.toString('base64url') !== text) return undefined;
  const salt = bytes.subarray(0, saltBytes);
  const sealed = bytes.subarray(saltBytes, -tagBytes);
  const tag = bytes.subarray(-tagBytes);
  for (const key of keys) {
    const decipher = createDecipheriv(algorithm, ...derived(key, salt), { authTagLength: tagBytes });
    decipher.setAuthTag(tag);
    const plain = decipher.update(sealed);
    try {
      // OpenSSL compares the tag in constant time.
      decipher.final();
    } catch {
      // It was sealed with another key, or is not an access token.
      continue;
    }
    const { data: claims } = sealedClaims.safeParse(JSON.parse(plain.toString()));
    if (claims) return { claims, key };
  }
  return undefined;
}
