import { limits } from '../limits.ts';
import type { Write } from '../model/write.ts';
import { asciiJson, encodeWrites } from '../queue/records.ts';

/** The records that carry the writes to the store queue: a single one for nearly every request, none too large to park. */
export function recordsOf(writes: Write[], requests: string[] = []): string[] {
  const whole = asciiJson(encodeWrites(writes, requests));
  if (whole.length <= limits.recordBytes || writes.length === 1) return [whole];
  const middle = Math.ceil(writes.length / 2);
  return [...recordsOf(writes.slice(0, middle), requests), ...recordsOf(writes.slice(middle), requests)];
}
