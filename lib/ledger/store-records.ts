import { limits } from '../limits.ts';
import { encodeWrites, type Write } from '../queue/records.ts';
import { asciiJson } from '../queue/sqs/sqs-queue.ts';

/** The records that carry the writes to the store queue: a single one for nearly every request, none too large to park. */
export function recordsOf(writes: Write[], requests: string[] = []): string[] {
  const whole = asciiJson(encodeWrites(writes, requests));
  if (whole.length <= limits.recordBytes || writes.length === 1) return [whole];
  const middle = Math.ceil(writes.length / 2);
  return [...recordsOf(writes.slice(0, middle), requests), ...recordsOf(writes.slice(middle), requests)];
}
