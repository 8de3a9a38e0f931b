import { limits } from '../limits.ts';

/** The client's own JSON object. Any member name is data, `__proto__` included. */
export type Metadata = { [name: string]: unknown };

/** Returns metadata as it is stored: as `JSON.stringify` writes it, or null for the empty object. */
export const metadataText = (metadata: Metadata): string | null =>
  Object.keys(metadata).length === 0 ? null : JSON.stringify(metadata);

/** One object for all messages without metadata, because a response can have a thousand of them. */
const noMetadata: Metadata = Object.freeze({});

/** Returns metadata that was stored. */
export const parsedMetadata = (text: string | null): Metadata => (text === null ? noMetadata : JSON.parse(text));

const tooLong = `must have at most ${limits.metadataBytes} bytes of JSON`;

/** Returns what is wrong with a value that was parsed from JSON and should be metadata; or undefined. */
export function metadataFault(value: unknown): string | undefined {
  if (!isJsonObject(value)) return 'must be a JSON object';
  const fault = new Walk().faultOf(value, 1);
  if (fault) return fault;
  return Buffer.byteLength(JSON.stringify(value)) > limits.metadataBytes ? tooLong : undefined;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Tells whether a value that was parsed from JSON is an object. */
export const isJsonObject = (value: unknown): value is Metadata => isObject(value) && !Array.isArray(value);

/** Visits a value and what it contains, until more is found than metadata can hold. */
class Walk {
  /** The fewest bytes that the visited part takes: one for each value and each character. */
  #bytes = 0;

  /** @param level 1 for the metadata itself */
  faultOf(value: unknown, level: number): string | undefined {
    this.#bytes++;
    if (this.#bytes > limits.metadataBytes) return tooLong;
    if (typeof value === 'string') return this.#textFault(value);
    if (typeof value === 'number')
      return Number.isFinite(value) ? undefined : 'must not have a number that is too large';
    if (!isObject(value)) return undefined;
    if (level > limits.metadataLevels) return `must have at most ${limits.metadataLevels} levels`;
    for (const [name, member] of Object.entries(value)) {
      const fault = (Array.isArray(value) ? undefined : this.#textFault(name)) ?? this.faultOf(member, level + 1);
      if (fault) return fault;
    }
    return undefined;
  }

  #textFault(text: string): string | undefined {
    this.#bytes += text.length;
    if (this.#bytes > limits.metadataBytes) return tooLong;
    if (!text.isWellFormed()) return 'must not have a lone surrogate';
    return text.includes('\0') ? 'must not have the character U+0000' : undefined;
  }
}
