import { describe, expect, test } from 'vitest';
import { QueueAnnouncer } from '../../functions/feed/queue-announcer.ts';
import { limits } from '../../lib/limits.ts';
import { asciiJson, decodeStepsRecord } from '../../lib/queue/records.ts';
import type { Step } from '../../lib/store/changes.ts';

const token = 't'.repeat(22);
const provenance = { requests: ['one', 'two'], at: 5 };
const step = (chat: number, ...bodies: string[]): Step => ({
  token,
  chat,
  version: 7,
  changes: bodies.map((body, i) => ({
    version: 7,
    number: i + 1,
    type: 'created',
    stored: { number: i + 1, content: { sender: null, body, metadata: null }, createdAt: 1, updatedAt: 1 },
  })),
});

/** Announces steps, and returns the records that were sent. */
async function announced(...steps: Step[]): Promise<string[]> {
  const sent: string[] = [];
  const announcer = new QueueAnnouncer({ send: async (bodies) => void sent.push(...bodies) });
  const versions = steps.map(({ token, chat, version }) => ({ token, ...(chat !== undefined && { chat }), version }));
  await announcer.announce(versions, {
    provenance,
    store: {
      steps: async (asked) => {
        expect(asked).toEqual(versions);
        return steps;
      },
    },
  });
  return sent;
}

describe('the announcer of the AWS engine', () => {
  test('the announcer sends each step as followers get it, with the requests that made it', async () => {
    const application: Step = { token, version: 3, changes: [{ version: 3, number: 1, type: 'deleted' }] };
    const [record = '', ...others] = await announced(step(1, 'Hello'), application);
    expect(others).toEqual([]);
    const { steps, ...about } = decodeStepsRecord(record);
    expect(about).toEqual(provenance);
    expect(steps.map(({ event, ...key }) => ({ ...key, event: JSON.parse(event) }))).toEqual([
      {
        token,
        chat: 1,
        version: 7,
        event: {
          chat_number: 1,
          change: 7,
          data: [
            { change: 7, type: 'message.created', message: expect.objectContaining({ number: 1, body: 'Hello' }) },
          ],
        },
      },
      {
        token,
        version: 3,
        event: { change: 3, data: [{ change: 3, type: 'chat.deleted', chat: { number: 1 } }] },
      },
    ]);
  });

  test('the announcer fills records up to their limit, and sends a step above 200 kB as truncated', async () => {
    const large = step(1, ...Array.from({ length: 19 }, () => 'x'.repeat(10_000)));
    const tooLarge = step(2, ...Array.from({ length: 21 }, () => 'x'.repeat(10_000)));
    const records = await announced(large, large, tooLarge, step(3, 'small'));
    expect(records.map((record) => decodeStepsRecord(record).steps.length)).toEqual([1, 3]);
    for (const record of records) expect(asciiJson(record).length).toBeLessThan(limits.recordBytes + 1_000);
    const events = records.flatMap((record) => decodeStepsRecord(record).steps.map(({ event }) => JSON.parse(event)));
    expect(events[2]).toEqual({ chat_number: 2, change: 7, truncated: true });
  });

  test.each([
    ['Chinese', '好'],
    ['quotes', '"'],
    ['emoji', '🎉'],
    ['a control character', '\u007f'],
  ])('a step of 190 kB of %s fits into a message of SQS, as a truncated step if necessary', async (_, text) => {
    const characters = Math.floor(9_000 / Buffer.byteLength(JSON.stringify(text).slice(1, -1)));
    const body = text.repeat(characters);
    const records = await announced(step(1, ...Array.from({ length: 20 }, () => body)));
    for (const record of records) expect(asciiJson(record).length).toBeLessThan(1_000_000);
    const [{ event } = { event: '' }] = records.flatMap((record) => decodeStepsRecord(record).steps);
    expect(JSON.parse(event)).toMatchObject({ chat_number: 1, change: 7 });
    expect('truncated' in JSON.parse(event)).toBe(text === '\u007f');
  });
});
