import { hkdfSync } from 'node:crypto';

/** One key of the system secret. */
export interface SystemKey {
  /** At least 256 random bits, as printable ASCII characters. */
  key: string;
  /** The time from which this key signs, in milliseconds since 1970. It verifies even before that. */
  signsFrom: number;
}

/** The secret from which all signing keys of the system are derived. */
export interface SystemSecret {
  /**
   * Returns all keys that verify, the newest first. There is always one that signs.
   *
   * @throws Unavailable when the keys cannot be read
   */
  keys(): Promise<readonly SystemKey[]>;
}

/** Returns a system secret of one key, which never changes. */
export const fixedSecret = (key: string): SystemSecret => {
  const keys = [{ key, signsFrom: 0 }];
  return { keys: async () => keys };
};

/**
 * Returns the key that signs at the time: the newest one that has begun to. If this machine's clock is behind, every
 * `signsFrom` may be in the future. Then it is the oldest key, which every machine accepts.
 *
 * @param keys the newest first
 * @param now in milliseconds since 1970
 */
export function signingKey(keys: readonly SystemKey[], now: number): SystemKey {
  const signing = keys.find(({ signsFrom }) => signsFrom <= now) ?? keys.at(-1);
  if (!signing) throw new Error('The system secret has no key');
  return signing;
}

/** Default length of a derived key, in bytes. */
const keyBytes = 32;

/**
 * Derives a key for one purpose (HKDF-SHA-256, RFC 5869), so that what is signed or encrypted for one purpose is not
 * valid for another.
 *
 * @param options.salt makes another key of the same purpose. It may be public
 */
export const derivedKey = (
  key: string,
  purpose: string,
  { salt = '', bytes = keyBytes }: { salt?: string | Buffer; bytes?: number } = {},
): Buffer => Buffer.from(hkdfSync('sha256', key, salt, purpose, bytes));
