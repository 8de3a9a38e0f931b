import { expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { sendToAll } from '../../functions/runtime/send-to-all.ts';
import type { Outbox } from '../../lib/queue/queue.ts';

setLogLevel('silent');

/** Returns queues that record their messages; those that are named fail. */
function openOutboxes(...failing: string[]) {
  const sent: Record<string, string[]> = {};
  const outbox = (name: string): Outbox => ({
    send: async (bodies) => {
      if (failing.includes(name)) throw new Error(`${name} is unavailable`);
      sent[name] = [...(sent[name] ?? []), ...bodies];
    },
  });
  return { sent, outboxes: new Map(['first', 'second', 'third'].map((name) => [name, outbox(name)])) };
}

test('every queue gets the messages', async () => {
  const { sent, outboxes } = openOutboxes();
  await sendToAll(outboxes, ['a', 'b']);
  expect(sent).toEqual({ first: ['a', 'b'], second: ['a', 'b'], third: ['a', 'b'] });
});

test.each(['first', 'second', 'third'])(
  'when the %s queue fails, the others still get the messages, and the caller learns that it has to retry',
  async (failing) => {
    const { sent, outboxes } = openOutboxes(failing);
    await expect(sendToAll(outboxes, ['a'])).rejects.toThrow(`${failing} is unavailable`);
    const others = ['first', 'second', 'third'].filter((name) => name !== failing);
    expect(sent).toEqual(Object.fromEntries(others.map((name) => [name, ['a']])));
  },
);

test('a failure is reported only after the slower queues have the messages', async () => {
  const { sent, outboxes } = openOutboxes('first');
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow: Outbox = {
    send: async (bodies) => {
      await promise;
      sent.slow = bodies;
    },
  };
  const sending = sendToAll(new Map([...outboxes, ['slow', slow]]), ['a']);
  setImmediate(resolve);
  await expect(sending).rejects.toThrow('first is unavailable');
  expect(sent.slow).toEqual(['a']);
});
