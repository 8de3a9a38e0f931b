import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Delivery, Queue } from '../../../lib/queue/queue.ts';
import { numbers } from '../../support/histories/writes.ts';

export interface QueueUnderTest {
  queue: Queue;
  /** The time in milliseconds on the clock that the test measures with. */
  now: () => number;
  /** Lets the given number of seconds pass, on a clock of its own or by waiting. */
  elapse: (seconds: number) => Promise<void>;
  /** Closes the queue and returns the same one after a restart. */
  reopen: () => Promise<QueueUnderTest>;
  close: () => Promise<void>;
}

export interface QueueSettings {
  /** How long a receiver may hold a message before the queue delivers it again. */
  visibilitySeconds: number;
  /** The number of deliveries after which a message becomes a dead letter. */
  maxReceives: number;
}

/** No test holds a message this long, however busy the machine is. */
const patient: QueueSettings = { visibilitySeconds: 300, maxReceives: 3 };
/** For tests that wait until a message in flight is delivered again. Two calls in a row take less, on any machine. */
const quick: QueueSettings = { visibilitySeconds: 4, maxReceives: 3 };

/** The queue has failed when it delivers nothing for this long. A busy machine only slows it down. */
const silentMs = 30_000;

/**
 * The behaviour that every queue must have. A receive may return fewer messages than there are, so the tests repeat it
 * until they have what they wait for. Bodies are JSON, as all records are, and a queue may change how the JSON is spelled.
 *
 * Real time passes in some of the queues, and a busy machine makes all of it longer. So a test never says that something
 * has not happened yet: it waits until it happens, and checks that it came no earlier than allowed.
 *
 * @param open opens an empty queue
 */
export function queueContract(name: string, open: (settings: QueueSettings) => Promise<QueueUnderTest>): void {
  describe(`the queue, ${name}`, () => {
    let opened: QueueUnderTest;
    let queue: Queue;
    const use = async (settings: QueueSettings) => {
      opened = await open(settings);
      queue = opened.queue;
    };
    const useInstead = async (settings: QueueSettings) => {
      await opened.close();
      await use(settings);
    };
    beforeEach(() => use(patient));
    afterEach(() => opened.close());

    const json = (value: unknown) => JSON.stringify(value);
    const parsedBody = ({ body }: { body: string }): unknown => JSON.parse(body);
    const receipts = (deliveries: Delivery[]) => deliveries.map(({ receipt }) => receipt);

    /** Receives until there are `count` deliveries. */
    const receive = async (count: number): Promise<Delivery[]> => {
      const deliveries: Delivery[] = [];
      let lastAt = performance.now();
      while (deliveries.length < count && performance.now() - lastAt < silentMs) {
        const more = await queue.receive(Math.min(10, count - deliveries.length));
        if (more.length > 0) lastAt = performance.now();
        deliveries.push(...more);
      }
      expect(deliveries).toHaveLength(count);
      return deliveries;
    };
    const receiveOne = async () => (await receive(1))[0] as Delivery;

    /** Lets time pass until a message is delivered. Returns it with the seconds since `begunAt`. */
    const redelivered = async (begunAt: number): Promise<Delivery & { seconds: number }> => {
      while (opened.now() - begunAt < silentMs) {
        const [delivery] = await queue.receive(1);
        if (delivery) return { ...delivery, seconds: (opened.now() - begunAt) / 1_000 };
        await opened.elapse(0.25);
      }
      throw new Error('The message was not delivered again.');
    };

    const deadLetterCountIs = (count: number) =>
      expect.poll(() => queue.deadLetterCount(), { timeout: silentMs }).toBe(count);
    const deadLettersAre = (count: number) =>
      expect.poll(() => queue.deadLetters(100), { timeout: silentMs }).toHaveLength(count);

    test('each message that was sent is delivered to one receiver', async () => {
      await queue.send(numbers(1, 100).map(json));
      const hands = await Promise.all(numbers(1, 10).map(() => receive(10)));
      const values = hands.flat().map(parsedBody) as number[];
      expect(values.sort((a, b) => a - b)).toEqual(numbers(1, 100));
      expect(await queue.receive(10)).toEqual([]);
    });

    test('a receive returns at most as many messages as asked for, and none from an empty queue', async () => {
      expect(await queue.receive(10)).toEqual([]);
      await queue.send(numbers(1, 5).map(json));
      expect((await queue.receive(3)).length).toBeLessThanOrEqual(3);
    });

    test('an acknowledged message is never delivered again', async () => {
      await useInstead(quick);
      await queue.send([json('done')]);
      await queue.acknowledge(receipts(await receive(1)));
      await opened.elapse(quick.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
      expect(await queue.deadLetters(10)).toEqual([]);
    });

    test('a message that is neither acknowledged nor released is delivered again after its visibility timeout, not before', async () => {
      await useInstead(quick);
      await queue.send([json('slow')]);
      const begunAt = opened.now();
      expect(await receiveOne()).toMatchObject({ receives: 1 });
      const again = await redelivered(begunAt);
      expect(again.seconds).toBeGreaterThanOrEqual(quick.visibilitySeconds);
      expect(parsedBody(again)).toBe('slow');
      expect(again.receives).toBe(2);
      await queue.acknowledge([again.receipt]);
      await opened.elapse(quick.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('a released message is delivered again after the delay, not before', async () => {
      await queue.send([json('failed')]);
      const held = receipts(await receive(1));
      const begunAt = opened.now();
      await queue.release(held, 4);
      const again = await redelivered(begunAt);
      expect(again.seconds).toBeGreaterThanOrEqual(4);
      expect(parsedBody(again)).toBe('failed');
      expect(again.receives).toBe(2);
    });

    test('a message that is released without delay is delivered again at once', async () => {
      await queue.send([json('again')]);
      await queue.release(receipts(await receive(1)), 0);
      expect(await receiveOne()).toMatchObject({ receives: 2 });
    });

    test('only the messages of a batch that were not acknowledged are delivered again', async () => {
      await queue.send(numbers(1, 6).map(json));
      const deliveries = await receive(6);
      const odd = deliveries.filter((delivery) => (parsedBody(delivery) as number) % 2 === 1);
      await queue.acknowledge(receipts(odd));
      await queue.release(receipts(deliveries.filter((delivery) => !odd.includes(delivery))), 0);
      expect((await receive(3)).map(parsedBody).sort()).toEqual([2, 4, 6]);
    });

    test('a message that is released with a delay delays no other message', async () => {
      await queue.send([json('delayed')]);
      await queue.release(receipts(await receive(1)), 60);
      await queue.send([json('behind it')]);
      expect((await receive(1)).map(parsedBody)).toEqual(['behind it']);
    });

    test('a message that keeps failing becomes a dead letter with a reason after its last delivery', async () => {
      await useInstead(quick);
      await queue.send([json('poison')]);
      let deliveredAt = opened.now();
      for (const receives of numbers(1, quick.maxReceives)) {
        // A delivery fails when the message is released, and when its visibility timeout ends.
        const delivery = await redelivered(deliveredAt);
        expect(delivery.receives).toBe(receives);
        deliveredAt = opened.now();
        if (receives % 2 === 1) await queue.release([delivery.receipt], 0);
        if (receives < quick.maxReceives) expect(await queue.deadLetters(10)).toEqual([]);
      }
      // A queue may make the message a dead letter as late as the next receive, which would deliver it once more.
      expect(await queue.receive(10)).toEqual([]);
      await deadLettersAre(1);
      const [deadLetter] = await queue.deadLetters(10);
      expect(deadLetter && parsedBody(deadLetter)).toBe('poison');
      expect(deadLetter?.reason).toMatch(/\w/);
      await opened.elapse(quick.visibilitySeconds + 1);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('a dead letter keeps its reason and is not delivered', async () => {
      const deadLetters = numbers(1, 12).map((i) => ({
        body: json(`dead letter ${i}`),
        reason: `reason ${i}: "é" \u{1F600}`,
      }));
      await queue.addDeadLetters(deadLetters);
      await deadLettersAre(deadLetters.length);
      const kept = (await queue.deadLetters(100)).map((deadLetter) => ({
        body: json(parsedBody(deadLetter)),
        reason: deadLetter.reason,
      }));
      // Reading dead letters removes none.
      expect(kept).toEqual(expect.arrayContaining(deadLetters));
      expect((await queue.deadLetters(5)).length).toBeLessThanOrEqual(5);
      expect(await queue.receive(10)).toEqual([]);
    });

    test('the number of dead letters is returned, and each has the time at which it became one', async () => {
      expect(await queue.deadLetterCount()).toBe(0);
      await queue.addDeadLetters([{ body: json('early'), reason: 'because' }]);
      await opened.elapse(2);
      await queue.addDeadLetters([{ body: json('late'), reason: 'because' }]);
      await deadLetterCountIs(2);
      const deadLetters = await queue.deadLetters(10);
      const at = (content: string) => deadLetters.find((deadLetter) => parsedBody(deadLetter) === content)?.at ?? 0;
      expect(at('late') - at('early')).toBeGreaterThanOrEqual(2_000);
    });

    test('a redrive delivers the dead letters again and removes them from the dead letters', async () => {
      await queue.addDeadLetters(numbers(1, 250).map((i) => ({ body: json(i), reason: 'because' })));
      await deadLetterCountIs(250);
      const steps = await Array.fromAsync(queue.redrive());
      expect(steps.reduce((sum, step) => sum + step, 0)).toBe(250);
      expect(steps.length).toBeGreaterThan(1);
      expect(await queue.deadLetterCount()).toBe(0);
      const values = (await receive(250)).map(parsedBody) as number[];
      expect(values.sort((a, b) => a - b)).toEqual(numbers(1, 250));
      expect(await Array.fromAsync(queue.redrive())).toEqual([]);
    });

    test('a redrive ends even if every message becomes a dead letter again at once', async () => {
      const deadLetters = numbers(1, 25).map((i) => ({ body: json(`poison ${i}`), reason: 'because' }));
      await queue.addDeadLetters(deadLetters);
      await deadLetterCountIs(deadLetters.length);
      let went = 0;
      for await (const step of queue.redrive()) {
        went += step;
        expect(went).toBeLessThanOrEqual(deadLetters.length);
        const back = await receive(step);
        await queue.addDeadLetters(back.map(({ body }) => ({ body, reason: 'again' })));
        await queue.acknowledge(receipts(back));
      }
      expect(went).toBe(deadLetters.length);
      await deadLetterCountIs(deadLetters.length);
    });

    test('a redrive that is stopped early loses no message, and the next one continues', async () => {
      await queue.addDeadLetters(numbers(1, 150).map((i) => ({ body: json(i), reason: 'because' })));
      await deadLetterCountIs(150);
      for await (const step of queue.redrive()) {
        expect(step).toBeLessThan(150);
        break;
      }
      expect(await queue.deadLetterCount()).toBeLessThan(150);
      await Array.fromAsync(queue.redrive());
      const values = new Set<unknown>();
      for (const delivery of await receive(150)) values.add(parsedBody(delivery));
      expect(values.size).toBe(150);
      expect(await queue.deadLetterCount()).toBe(0);
    });

    test('every character is delivered unchanged', async () => {
      const texts = [
        numbers(1, 0x2ff)
          .map((point) => String.fromCodePoint(point))
          .join(''),
        '\u0000 \u2028\u2029 \uFEFF \uFFFD\uFFFE\uFFFF \u{1FFFE} \u{10FFFF} \u{1F469}\u200D\u{1F4BB} e\u0301 \u202Eאב',
        '\\u0041 \\ " \' </script> %41 &amp; {{x}}',
      ];
      await queue.send(texts.map(json));
      expect((await receive(texts.length)).map(parsedBody).sort()).toEqual(texts.toSorted());
    });

    test('large messages and many messages in one call all arrive', async () => {
      // The ledger splits what it sends below 900 KB.
      const large = numbers(1, 4).map((i) => `${i}${'x'.repeat(899_000)}`);
      await queue.send(large.map(json));
      const received = await receive(large.length);
      expect(received.map(parsedBody).sort()).toEqual(large);
      await queue.acknowledge(receipts(received));
      await queue.send(numbers(1, 1_000).map(json));
      expect(new Set((await receive(1_000)).map(parsedBody)).size).toBe(1_000);
    });

    test('concurrent senders and receivers lose no message', async () => {
      const received: unknown[] = [];
      const sending = Promise.all(numbers(1, 40).map((i) => queue.send([json(i)])));
      const deadline = performance.now() + silentMs;
      const receiving = numbers(1, 4).map(async () => {
        while (received.length < 40 && performance.now() < deadline) {
          const deliveries = await queue.receive(3);
          await queue.acknowledge(receipts(deliveries));
          received.push(...deliveries.map(parsedBody));
          await new Promise(setImmediate);
        }
      });
      await Promise.all([sending, ...receiving]);
      expect(new Set(received)).toEqual(new Set(numbers(1, 40)));
    });

    test('a restart loses no waiting message, no message in flight, and no dead letter', async () => {
      await useInstead(quick);
      await queue.send(['in flight', 'acknowledged'].map(json));
      const done = (await receive(2)).filter((delivery) => parsedBody(delivery) === 'acknowledged');
      await queue.acknowledge(receipts(done));
      await queue.send([json('waiting')]);
      await queue.addDeadLetters([{ body: json('dead'), reason: 'because' }]);
      opened = await opened.reopen();
      queue = opened.queue;
      await opened.elapse(quick.visibilitySeconds + 1);
      const left = await receive(2);
      expect(left.map(parsedBody).sort()).toEqual(['in flight', 'waiting']);
      await queue.acknowledge(receipts(left));
      expect(await queue.receive(10)).toEqual([]);
      await deadLettersAre(1);
    });
  });
}
