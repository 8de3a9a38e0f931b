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

const bytes = 32;

/**
 * Derives a key of 256 bits for one purpose (HKDF-SHA-256, RFC 5869), so that a signature made for one purpose is not
 * valid for another.
 */
export const derivedKey = (key: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', purpose, bytes));
