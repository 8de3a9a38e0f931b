import { hkdfSync } from 'node:crypto';

/** One key of the system secret. */
export interface SystemKey {
  /** At least 256 random bits, as printable ASCII characters. */
  key: string;
  /** The time from which this key signs, in milliseconds since 1970. It verifies earlier than that. */
  signsFrom: number;
}

/** The secret that everything which the system signs is derived from. */
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
 * Derives a key of 256 bits for one purpose (HKDF-SHA-256, RFC 5869), so that what one part of the system signs is
 * worthless to the others.
 */
export const derivedKey = (key: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', purpose, bytes));
