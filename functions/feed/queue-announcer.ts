import { limits } from '../../lib/limits.ts';
import type { Outbox } from '../../lib/queue/queue.ts';
import { asciiJson, type EncodedStep, encodeSteps, type Provenance } from '../../lib/queue/records.ts';
import { stepJson, truncatedStepJson } from '../api/shared/changes.ts';
import type { Announcer } from '../runtime/services.ts';

/** Announces versions with their changes in the feed queue, because the worker behind it cannot read the store. */
export class QueueAnnouncer implements Announcer {
  readonly #outbox: Outbox;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  async announce(...[versions, { provenance, store }]: Parameters<Announcer['announce']>): Promise<void> {
    const steps = (await store.steps(versions)).map((step): EncodedStep => {
      const { token, chat, version } = step;
      const event = stepJson(step);
      const fits = sizeOf(event) <= longestEvent;
      return { token, ...(chat !== undefined && { chat }), version, event: fits ? event : truncatedStepJson(step) };
    });
    await this.#outbox.send([...recordsOf(steps, provenance)]);
  }
}

/**
 * Maximum size of an event in a queue message, in bytes. SQS takes messages of 1 MiB. An event of `limits.stepBytes`
 * exceeds this only if most of its characters are U+007F, which a queue message escapes with six bytes.
 */
const longestEvent = 900_000;

/** Returns the bytes of a value in a queue message. */
const sizeOf = (value: string | EncodedStep): number => asciiJson(JSON.stringify(value)).length;

/** Yields records of at most `limits.recordBytes`, unless a step alone is larger. */
function* recordsOf(steps: EncodedStep[], provenance: Provenance): Generator<string> {
  let record: EncodedStep[] = [];
  let bytes = 0;
  for (const step of steps) {
    const size = sizeOf(step);
    if (record.length > 0 && bytes + size > limits.recordBytes) {
      yield encodeSteps(record, provenance);
      [record, bytes] = [[], 0];
    }
    record.push(step);
    bytes += size;
  }
  if (record.length > 0) yield encodeSteps(record, provenance);
}
