import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Measured } from '../../functions/runtime/observe/metrics.ts';
import { feedWorker } from '../../functions/workers/feed.ts';
import { AppsyncPublisher } from '../../lib/feed/appsync/appsync-publisher.ts';
import { channelOf, feedId } from '../../lib/feed/channels.ts';
import { limits } from '../../lib/limits.ts';
import type { DeadLetter } from '../../lib/queue/queue.ts';
import { type EncodedStep, encodeSteps } from '../../lib/queue/records.ts';
import { deliver } from '../support/servers/batch.ts';
import { EventApi } from '../support/servers/event-api.ts';

setLogLevel('silent');

const [token, other] = ['t'.repeat(22), 'u'.repeat(22)];
const step = (version: number, of: Partial<EncodedStep> = { chat: 1 }): EncodedStep => {
  const event = JSON.stringify({ chat_number: of.chat, change: version, data: [] });
  return { token, version, event, ...of };
};
const record = (...steps: EncodedStep[]) => encodeSteps(steps, { requests: ['r'], at: Date.now() - 1_000 });

describe('the feed worker', () => {
  let api: EventApi;
  let generations: Map<string, number>;
  let deadLetters: DeadLetter[];
  let reported: Measured[];
  beforeAll(async () => {
    api = await EventApi.start();
  });
  beforeEach(() => {
    api.fault = () => undefined;
    api.requests.length = 0;
    api.accepted.length = 0;
    generations = new Map([
      [token, 5],
      [other, 0],
    ]);
    [deadLetters, reported] = [[], []];
  });
  afterAll(() => api.stop());

  const work = (...records: string[]) =>
    deliver(
      feedWorker({
        publisher: new AppsyncPublisher({
          url: api.url,
          region: 'eu-central-1',
          credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
        }),
        ledger: { accessGeneration: async (of) => generations.get(of) },
        feedQueue: { addDeadLetters: async (added) => void deadLetters.push(...added) },
        report: (_, measured) => void reported.push(measured),
      }),
      ...records,
    );
  /** The versions that were accepted on the channel of the application's own token, or of its access tokens. */
  const versionsOn = (of: string, chat?: number, generation?: number) =>
    api.accepted
      .filter(({ channel }) => channel === channelOf(feedId(of, generation), chat === undefined ? {} : { chat }))
      .map(({ event }) => JSON.parse(event).change);

  test('the feed worker publishes a step to the holders of the token and to those of current access tokens', async () => {
    expect(await work(record(step(1), step(4, {})), record(step(1, { token: other, chat: 2 })))).toEqual([]);
    expect(versionsOn(token, 1)).toEqual([1]);
    expect(versionsOn(token, 1, 5)).toEqual([1]);
    expect(versionsOn(token, undefined, 5)).toEqual([4]);
    expect(versionsOn(other, 2, 0)).toEqual([1]);
    expect(api.accepted).toHaveLength(6);
    expect(api.accepted[0]?.event).toBe(step(1).event);
    expect(reported).toEqual([
      { published: 3, published_lag: expect.any(Number), publish_failures: undefined, duplicates: 0, poison: 0 },
    ]);
    expect(reported[0]?.published_lag).toBeGreaterThanOrEqual(1);
  });

  test('the feed worker publishes nothing to access tokens that were ended, and nothing of a deleted application', async () => {
    await work(record(step(1)));
    generations.set(token, 6);
    generations.delete(other);
    expect(await work(record(step(2)), record(step(1, { token: other, chat: 1 })))).toEqual([]);
    expect(versionsOn(token, 1)).toEqual([1, 2]);
    expect(versionsOn(token, 1, 5)).toEqual([1]);
    expect(versionsOn(token, 1, 6)).toEqual([2]);
    expect(versionsOn(other, 1)).toEqual([]);
  });

  test('the feed worker publishes each step once, in the order of the versions, and five at a time', async () => {
    const versions = [7, 3, 1, 2, 6, 5, 4, 8, 9, 10, 11, 12];
    expect(await work(record(...versions.map((version) => step(version))), record(step(3), step(12)))).toEqual([]);
    const sorted = [...versions].sort((a, b) => a - b);
    expect(versionsOn(token, 1)).toEqual(sorted);
    expect(versionsOn(token, 1, 5)).toEqual(sorted);
    expect(api.requests.map(({ events }) => events.length)).toEqual([5, 5, 5, 5, 2, 2]);
  });

  test.each([{ status: 429 }, { status: 503 }, 'close' as const])(
    'when AppSync fails with %j, every record that was not published is retried',
    async (fault) => {
      api.fault = ({ channel }) => (channel.endsWith('/2') ? fault : undefined);
      const failed = await work(record(step(1)), record(step(1, { chat: 2 })), record(step(2)));
      expect(failed).toContain(2);
      expect(deadLetters).toEqual([]);
      expect(reported[0]).toMatchObject({ publish_failures: 1 });
      api.fault = () => undefined;
      api.accepted.length = 0;
      expect(await work(record(step(1, { chat: 2 })))).toEqual([]);
      expect(versionsOn(token, 2)).toEqual([1]);
    },
  );

  test('once AppSync fails, the feed worker does not send the rest of the batch', async () => {
    api.fault = () => ({ status: 503 });
    const chats = Array.from({ length: 100 }, (_, i) => record(step(1, { chat: i + 1 })));
    expect(await work(...chats)).toHaveLength(100);
    expect(api.requests.length).toBeLessThanOrEqual(limits.appsync.atOnce);
  });

  test('when AppSync cannot publish one event of a request, only the record of that event is retried', async () => {
    api.fault = ({ channel }) =>
      channel === channelOf(feedId(token), { chat: 1 }) ? { failing: [1], code: 500 } : undefined;
    expect(await work(record(step(1)), record(step(2)), record(step(3)))).toEqual([2]);
    expect(versionsOn(token, 1)).toEqual([1, 3]);
    expect(reported).toMatchObject([{ published: 2, publish_failures: 1 }]);
  });

  test('the feed worker makes an event that AppSync will never take a dead letter, and publishes the rest', async () => {
    const large = record(step(2, { chat: 1, event: JSON.stringify('x'.repeat(limits.appsync.eventBytes)) }));
    expect(await work(record(step(1)), large, record(step(3)), 'no record')).toEqual([]);
    expect(versionsOn(token, 1)).toEqual([1, 3]);
    expect(deadLetters).toEqual([
      { body: 'no record', reason: 'not JSON' },
      { body: large, reason: 'AppSync responded with 400: Refused' },
    ]);
  });

  test('the feed worker retries everything while the ledger is unavailable', async () => {
    generations.get = () => {
      throw new Error('the ledger is out');
    };
    expect(await work(record(step(1)), record(step(2)))).toEqual([1, 2]);
    expect(api.requests).toEqual([]);
    expect(reported).toEqual([{ publish_failures: 1 }]);
  });

  test('a record of a newer version is retried and neither published nor made a dead letter', async () => {
    const newer = JSON.stringify({ ...JSON.parse(record(step(1))), mood: 'glad' });
    expect(await work(newer, record(step(2)))).toEqual([1]);
    expect(versionsOn(token, 1)).toEqual([2]);
    expect(deadLetters).toEqual([]);
  });
});
