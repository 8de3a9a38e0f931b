import type { Outbox } from '../../lib/queue/queue.ts';
import { log, logEvents } from './observe/log.ts';

/**
 * Sends the messages to every queue. The keys of the map are the names of the queues. A queue that fails does not keep
 * the others from getting the messages.
 *
 * @throws the first failure, after every queue was tried. The caller retries all; a queue that took the messages gets
 *   them twice then.
 */
export async function sendToAll(outboxes: ReadonlyMap<string, Outbox>, bodies: string[]): Promise<void> {
  const failures: unknown[] = [];
  const sending = [...outboxes].map(async ([queue, outbox]) => {
    try {
      await outbox.send(bodies);
    } catch (error) {
      log.warn(logEvents.queueFailed, { queue, error: error as Error });
      failures.push(error);
    }
  });
  await Promise.all(sending);
  if (failures.length > 0) throw failures[0];
}
