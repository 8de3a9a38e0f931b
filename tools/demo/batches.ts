import { limits } from '../../lib/limits.ts';

/** The bytes of a batch's JSON without its messages: `{"messages":[]}`. */
const frameBytes = 15;

/** Splits the messages, in order, into as few batch requests as the API's limits of number and size allow. */
export function inBatches<Message extends object>(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [];
  let batch: Message[] = [];
  let bytes = frameBytes;
  for (const message of messages) {
    const more = Buffer.byteLength(JSON.stringify(message)) + 1;
    if (batch.length === limits.batchSize || (batch.length > 0 && bytes + more > limits.requestBytes)) {
      batches.push(batch);
      batch = [];
      bytes = frameBytes;
    }
    batch.push(message);
    bytes += more;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
