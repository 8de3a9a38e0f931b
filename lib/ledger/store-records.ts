import { limits } from '../limits.ts';
import type { Write } from '../model/write.ts';
import { asciiJson, encodeWrites } from '../queue/records.ts';

/**
 * Returns the records that carry the writes to the store queue: one for nearly every request, more when one record
 * would be longer than `limits.recordBytes`.
 */
export function recordsOf(writes: Write[], requests: string[] = []): string[] {
  const whole = asciiJson(encodeWrites(writes, requests));
  if (whole.length <= limits.recordBytes || writes.length === 1) return [whole];
  const middle = Math.ceil(writes.length / 2);
  return [...recordsOf(writes.slice(0, middle), requests), ...recordsOf(writes.slice(middle), requests)];
}
