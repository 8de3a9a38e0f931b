import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import { derivedKey, type SystemSecret, signingKey } from '../system-secret.ts';
import { validationFailed } from './problems.ts';

/** Bytes of the HMAC in a cursor. 128 bits cannot be guessed, and take 22 characters as base64url. */
const macBytes = 16;

type Scalars = readonly (number | string)[];

/** Returns the HMAC of a list and a position. JSON separates the two, so different pairs never have the same text. */
const macOf = (key: KeyObject, list: unknown, position: unknown): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([list, position]))
    .digest()
    .subarray(0, macBytes);

const textOf = (mac: Buffer, position: Scalars): string =>
  Buffer.from(JSON.stringify([mac.toString('base64url'), ...position])).toString('base64url');

const envelope = z.tuple([z.string()], z.union([z.number(), z.string()]));

/**
 * Makes and reads cursors. A cursor is the position where a page ended, with an HMAC over it and over the list that it
 * belongs to. So the system accepts only cursors that it made itself, and each only for the list it was made for.
 */
export class Cursors {
  readonly #secret: SystemSecret;
  /** The derived keys. With a `Buffer` instead of a key object, an HMAC takes five times as long. */
  readonly #derived = new Map<string, KeyObject>();

  constructor(secret: SystemSecret) {
    this.#secret = secret;
  }

  /**
   * Returns the cursor of a position, which matches `^[A-Za-z0-9_-]+$`.
   *
   * @param list everything that identifies the list: operation, application, path parameters, filters, order, q
   * @param position where the page ended
   * @throws Unavailable when the system secret cannot be read
   */
  async encode(list: unknown, position: Scalars): Promise<string> {
    const { key } = signingKey(await this.#secret.keys(), Date.now());
    return textOf(macOf(this.#keyOf(key), list, position), position);
  }

  /**
   * Returns the position in a cursor, or undefined without a cursor.
   *
   * @param list the same as for `encode`
   * @param position the schema of a position, with the range of each of its members
   * @throws Problem validation_failed for a cursor that the system did not make for this list, or whose position is out
   * of range; Unavailable when the system secret cannot be read
   */
  async decode<Position extends z.ZodMiniType>(
    list: unknown,
    cursor: string | undefined,
    position: Position,
  ): Promise<z.output<Position> | undefined> {
    if (cursor === undefined) return undefined;
    const keys = (await this.#secret.keys()).map(({ key }) => this.#keyOf(key));
    const result = position.safeParse(this.#authentic(keys, list, cursor));
    if (result.success) return result.data;
    throw validationFailed([
      { pointer: 'cursor', detail: 'is not a cursor of this list; start again without a cursor' },
    ]);
  }

  /** Returns the position in an authentic cursor; undefined for any other text. */
  #authentic(keys: KeyObject[], list: unknown, cursor: string): unknown {
    const parsed = envelope.safeParse(parsedJson(Buffer.from(cursor, 'base64url').toString()));
    if (!parsed.success) return undefined;
    const [given, ...position] = parsed.data;
    const mac = Buffer.from(given, 'base64url');
    // A cursor has exactly one valid spelling, although Base64 and JSON allow many.
    if (mac.length !== macBytes || cursor !== textOf(mac, position)) return undefined;
    return keys.some((key) => timingSafeEqual(mac, macOf(key, list, position))) ? position : undefined;
  }

  #keyOf(key: string): KeyObject {
    let derived = this.#derived.get(key);
    if (!derived) {
      derived = createSecretKey(derivedKey(key, 'cursors'));
      this.#derived.set(key, derived);
    }
    return derived;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
