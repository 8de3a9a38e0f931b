import { limits } from '../../lib/limits.ts';

/** The bytes of a batch's JSON without its messages: `{"messages":[]}`. */
const frameBytes = 15;

/** Splits the bodies, in order, into as few batch requests as the API's limits of number and size allow. */
export function inBatches(bodies: readonly string[]): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let bytes = frameBytes;
  for (const body of bodies) {
    const more = Buffer.byteLength(JSON.stringify({ body })) + 1;
    if (batch.length === limits.batchSize || (batch.length > 0 && bytes + more > limits.requestBytes)) {
      batches.push(batch);
      batch = [];
      bytes = frameBytes;
    }
    batch.push(body);
    bytes += more;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
