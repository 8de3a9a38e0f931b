import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Delivery, Queue } from '../../../lib/queue/queue.ts';
import { numbers } from '../../support/histories/writes.ts';

export interface QueueUnderTest {
  queue: Queue;
  /** Lets so many seconds pass: on a clock of its own, or by waiting. */
  elapse: (seconds: number) => Promise<void>;
  /** The same queue after a restart; the one before is closed then. */
  reopen: () => Promise<QueueUnderTest>;
  close: () => Promise<void>;
}

export interface QueueSettings {
  /** How long a delivery may be in hand before the message comes again. */
  visibilitySeconds: number;
  /** Deliveries after which a message becomes a dead letter. */
  maxReceives: number;
}

/**
 * What every queue must do. A receive may hold fewer messages than there are, so the tests ask until they have what they
 * wait for. Bodies are JSON, as all records are: a queue may send it spelled in another way.
 *
 * @param open opens an empty queue
 */
export function queueContract(name: string, open: (settings: QueueSettings) => Promise<QueueUnderTest>): void {
  describe(`the queue, ${name}`, () => {
    const settings: QueueSettings = { visibilitySeconds: 2, maxReceives: 3 };
    let opened: QueueUnderTest;
    let queue: Queue;
    beforeEach(async () => {
      opened = await open(settings);
      queue = opened.queue;
    });
    afterEach(() => opened.close());

    const json = (value: unknown) => JSON.stringify(value);
    const contentOf = ({ body }: { body: string }): unknown => JSON.parse(body);
    const receipts = (deliveries: Delivery[]) => deliveries.map(({ receipt }) => receipt);

    /** Receives until there are so many deliveries. */
    const receive = async (count: number): Promise<Delivery[]> => {
      const deliveries: Delivery[] = [];
      const deadline = Date.now() + 15_000;
      while (deliveries.length < count && Date.now() < deadline)
        deliveries.push(...(await queue.receive(Math.min(10, count - deliveries.length))));
      expect(deliveries).toHaveLength(count);
      return deliveries;
    };
    const receiveOne = async () => (await receive(1))[0] as Delivery;

    test('what was sent is delivered, each message to one receiver', async () => {
      await queue.send(numbers(1, 100).map(json));
      const hands = await Promise.all(numbers(1, 10).map(() => receive(10)));
      const values = hands.flat().map(contentOf) as number[];
      expect(values.sort((a, b) => a - b)).toEqual(numbers(1, 100));
      expect(await queue.receive(10)).toEqual([]);
    });

    test('a receive holds at most as many as were asked for, and nothing of an empty queue', async () => {
      expect(await queue.receive(10)).toEqual([]);
      await queue.send(numbers(1, 5).map(json));
      expect((await queue.receive(3)).length).toBeLessThanOrEqual(3);
    });

    test('what is acknowledged never comes again', async () => {
      await queue.send([json('done')]);
      await queue.acknowledge(receipts(await receive(1)));
      await opened.elapse(settings.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
      expect(await queue.deadLetters(10)).toEqual([]);
    });

    test('what is neither acknowledged nor released comes again in time, and no earlier', async () => {
      await queue.send([json('slow')]);
      expect(await receiveOne()).toMatchObject({ receives: 1 });
      await opened.elapse(settings.visibilitySeconds - 1);
      expect(await queue.receive(10)).toEqual([]);
      await opened.elapse(1);
      const again = await receiveOne();
      expect(contentOf(again)).toBe('slow');
      expect(again.receives).toBe(2);
      await queue.acknowledge([again.receipt]);
      await opened.elapse(settings.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('what is released comes again after the delay, and no earlier', async () => {
      await queue.send([json('failed')]);
      await queue.release(receipts(await receive(1)), 4);
      await opened.elapse(3);
      expect(await queue.receive(10)).toEqual([]);
      await opened.elapse(1);
      const again = await receiveOne();
      expect(contentOf(again)).toBe('failed');
      expect(again.receives).toBe(2);
    });

    test('what is released without delay comes again at once', async () => {
      await queue.send([json('again')]);
      await queue.release(receipts(await receive(1)), 0);
      expect(await receiveOne()).toMatchObject({ receives: 2 });
    });

    test('of a batch, only what was not acknowledged comes again', async () => {
      await queue.send(numbers(1, 6).map(json));
      const deliveries = await receive(6);
      const odd = deliveries.filter((delivery) => (contentOf(delivery) as number) % 2 === 1);
      await queue.acknowledge(receipts(odd));
      await queue.release(receipts(deliveries.filter((delivery) => !odd.includes(delivery))), 0);
      expect((await receive(3)).map(contentOf).sort()).toEqual([2, 4, 6]);
    });

    test('a message that is held up holds up no other', async () => {
      await queue.send([json('held up')]);
      await queue.release(receipts(await receive(1)), 60);
      await queue.send([json('behind it')]);
      expect((await receive(1)).map(contentOf)).toEqual(['behind it']);
    });

    test('a message that keeps failing becomes a dead letter with a reason after its last delivery', async () => {
      await queue.send([json('poison')]);
      for (const receives of numbers(1, settings.maxReceives)) {
        const delivery = await receiveOne();
        expect(delivery.receives).toBe(receives);
        expect(await queue.deadLetters(10)).toEqual([]);
        // Both ways of failing count.
        if (receives % 2 === 1) await queue.release([delivery.receipt], 0);
        else await opened.elapse(settings.visibilitySeconds);
      }
      // A queue may give the message up only when it would be delivered next.
      expect(await queue.receive(10)).toEqual([]);
      await expect.poll(() => queue.deadLetters(10), { timeout: 15_000 }).toHaveLength(1);
      const [deadLetter] = await queue.deadLetters(10);
      expect(deadLetter && contentOf(deadLetter)).toBe('poison');
      expect(deadLetter?.reason).toMatch(/\w/);
      await opened.elapse(settings.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('a dead letter is kept with its reason and is not delivered', async () => {
      const deadLetters = numbers(1, 12).map((i) => ({
        body: json(`dead letter ${i}`),
        reason: `reason ${i}: "é" \u{1F600}`,
      }));
      await queue.bury(deadLetters);
      await expect.poll(() => queue.deadLetters(100), { timeout: 15_000 }).toHaveLength(deadLetters.length);
      const kept = (await queue.deadLetters(100)).map((deadLetter) => ({
        body: json(contentOf(deadLetter)),
        reason: deadLetter.reason,
      }));
      // Looking at them takes none away.
      expect(kept).toEqual(expect.arrayContaining(deadLetters));
      expect((await queue.deadLetters(5)).length).toBeLessThanOrEqual(5);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('dead letters are counted, and each has the time at which it became one', async () => {
      expect(await queue.deadLetterCount()).toBe(0);
      await queue.bury([{ body: json('early'), reason: 'because' }]);
      await opened.elapse(2);
      await queue.bury([{ body: json('late'), reason: 'because' }]);
      await expect.poll(() => queue.deadLetterCount(), { timeout: 15_000 }).toBe(2);
      const deadLetters = await queue.deadLetters(10);
      const at = (content: string) => deadLetters.find((deadLetter) => contentOf(deadLetter) === content)?.at ?? 0;
      expect(at('late') - at('early')).toBeGreaterThanOrEqual(2_000);
    });

    test('a redrive delivers the dead letters again and removes them from the dead letters', async () => {
      await queue.bury(numbers(1, 250).map((i) => ({ body: json(i), reason: 'because' })));
      await expect.poll(() => queue.deadLetterCount(), { timeout: 15_000 }).toBe(250);
      const steps = await Array.fromAsync(queue.redrive());
      expect(steps.reduce((sum, step) => sum + step, 0)).toBe(250);
      expect(steps.length).toBeGreaterThan(1);
      expect(await queue.deadLetterCount()).toBe(0);
      const values = (await receive(250)).map(contentOf) as number[];
      expect(values.sort((a, b) => a - b)).toEqual(numbers(1, 250));
      expect(await Array.fromAsync(queue.redrive())).toEqual([]);
    });

    test('a redrive ends although every message becomes a dead letter again at once', async () => {
      const deadLetters = numbers(1, 25).map((i) => ({ body: json(`poison ${i}`), reason: 'because' }));
      await queue.bury(deadLetters);
      await expect.poll(() => queue.deadLetterCount(), { timeout: 15_000 }).toBe(deadLetters.length);
      let went = 0;
      for await (const step of queue.redrive()) {
        went += step;
        expect(went).toBeLessThanOrEqual(deadLetters.length);
        const back = await receive(step);
        await queue.bury(back.map(({ body }) => ({ body, reason: 'again' })));
        await queue.acknowledge(receipts(back));
      }
      expect(went).toBe(deadLetters.length);
      await expect.poll(() => queue.deadLetterCount(), { timeout: 15_000 }).toBe(deadLetters.length);
    });

    test('a redrive that is stopped early loses no message, and the next one goes on', async () => {
      await queue.bury(numbers(1, 150).map((i) => ({ body: json(i), reason: 'because' })));
      await expect.poll(() => queue.deadLetterCount(), { timeout: 15_000 }).toBe(150);
      for await (const step of queue.redrive()) {
        expect(step).toBeLessThan(150);
        break;
      }
      expect(await queue.deadLetterCount()).toBeLessThan(150);
      await Array.fromAsync(queue.redrive());
      const values = new Set<unknown>();
      while (values.size < 150) for (const delivery of await receive(1)) values.add(contentOf(delivery));
      expect(await queue.deadLetterCount()).toBe(0);
    });

    test('every character arrives unchanged', async () => {
      const texts = [
        numbers(1, 0x2ff)
          .map((point) => String.fromCodePoint(point))
          .join(''),
        '\u0000 \u2028\u2029 \uFEFF \uFFFD\uFFFE\uFFFF \u{1FFFE} \u{10FFFF} \u{1F469}\u200D\u{1F4BB} e\u0301 \u202Eאב',
        '\\u0041 \\ " \' </script> %41 &amp; {{x}}',
      ];
      await queue.send(texts.map(json));
      expect((await receive(texts.length)).map(contentOf).sort()).toEqual(texts.toSorted());
    });

    test('large messages, and many in one call, all arrive', async () => {
      // The ledger splits what it sends below 900 KB.
      const large = numbers(1, 4).map((i) => `${i}${'x'.repeat(899_000)}`);
      await queue.send(large.map(json));
      const received = await receive(large.length);
      expect(received.map(contentOf).sort()).toEqual(large);
      await queue.acknowledge(receipts(received));
      await queue.send(numbers(1, 1_000).map(json));
      expect(new Set((await receive(1_000)).map(contentOf)).size).toBe(1_000);
    });

    test('senders and receivers at the same time lose nothing', async () => {
      const received: unknown[] = [];
      const sending = Promise.all(numbers(1, 40).map((i) => queue.send([json(i)])));
      const deadline = Date.now() + 15_000;
      const receiving = numbers(1, 4).map(async () => {
        while (received.length < 40 && Date.now() < deadline) {
          const deliveries = await queue.receive(3);
          await queue.acknowledge(receipts(deliveries));
          received.push(...deliveries.map(contentOf));
          await new Promise(setImmediate);
        }
      });
      await Promise.all([sending, ...receiving]);
      expect(new Set(received)).toEqual(new Set(numbers(1, 40)));
    });

    test('a restart loses nothing: not what waits, not what was in hand, not the dead letters', async () => {
      await queue.send(['in hand', 'acknowledged'].map(json));
      const done = (await receive(2)).filter((delivery) => contentOf(delivery) === 'acknowledged');
      await queue.acknowledge(receipts(done));
      await queue.send([json('waiting')]);
      await queue.bury([{ body: json('dead'), reason: 'because' }]);
      opened = await opened.reopen();
      queue = opened.queue;
      await opened.elapse(settings.visibilitySeconds + 1);
      expect((await receive(2)).map(contentOf).sort()).toEqual(['in hand', 'waiting']);
      expect(await queue.receive(10)).toEqual([]);
      await expect.poll(() => queue.deadLetters(10), { timeout: 15_000 }).toHaveLength(1);
    });
  });
}
