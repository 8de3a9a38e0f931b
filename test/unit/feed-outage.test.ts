import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { retryDelaySeconds } from '../../functions/runtime/worker.ts';
import { feedWorker } from '../../functions/workers/feed.ts';
import { AppsyncPublisher } from '../../lib/feed/appsync/appsync-publisher.ts';
import { channelOf, feedId } from '../../lib/feed/channels.ts';
import { encodeSteps } from '../../lib/queue/records.ts';
import { queueMigrations } from '../../lib/queue/sqlite/schema.ts';
import { SqliteQueue } from '../../lib/queue/sqlite/sqlite-queue.ts';
import { GroupCommit } from '../../lib/sqlite/group-commit.ts';
import { lambdaContext, sqsEvent } from '../../local/lambda-events.ts';
import { EventApi } from '../support/servers/event-api.ts';
import { openSqliteFile, type SqliteFile } from '../support/servers/sqlite-file.ts';

setLogLevel('silent');

const token = 't'.repeat(22);
const minute = 60_000;

describe('an hour without AppSync', () => {
  let file: SqliteFile;
  let api: EventApi;
  beforeEach(async () => {
    file = await openSqliteFile({ queue: queueMigrations });
    api = await EventApi.start();
  });
  afterEach(async () => {
    file.remove();
    await api.stop();
  });

  test('everything stays in the queue while AppSync is out for an hour, and is published within a minute afterwards', async () => {
    // A real queue, whose clock is moved on. SQS obeys the same contract tests.
    const clock = { now: 0 };
    const queue = new SqliteQueue(new GroupCommit(file.database), 'feed', { elapsed: () => clock.now });
    const worker = feedWorker({
      publisher: new AppsyncPublisher({
        url: api.url,
        region: 'eu-central-1',
        credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
      }),
      ledger: { accessGeneration: async () => 0 },
      feedQueue: queue,
    });
    let most = 0;
    /** Delivers what is due, as the event source on AWS does. */
    const deliver = async () => {
      for (let some = await queue.receive(10); some.length > 0; some = await queue.receive(10)) {
        const { batchItemFailures } = await worker(sqsEvent('feed', some), lambdaContext('feed'));
        const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        await queue.acknowledge(some.map(({ receipt }) => receipt).filter((receipt) => !failed.has(receipt)));
        const byDelay = Map.groupBy(
          some.filter(({ receipt }) => failed.has(receipt)),
          ({ receives }) => retryDelaySeconds(receives),
        );
        for (const [delay, each] of byDelay)
          await queue.release(
            each.map(({ receipt }) => receipt),
            delay,
          );
        most = Math.max(most, ...some.map(({ receives }) => receives));
      }
    };
    let version = 0;
    const send = () => {
      const event = JSON.stringify({ chat_number: 1, change: ++version, data: [] });
      return queue.send([encodeSteps([{ token, chat: 1, version, event }], { requests: [], at: undefined })]);
    };

    api.fault = () => ({ status: 503 });
    for (const end = clock.now + 60 * minute; clock.now < end; clock.now += 15_000) {
      if (clock.now % (5 * minute) === 0) await send();
      await deliver();
    }
    expect(api.accepted).toEqual([]);
    expect(await queue.deadLetterCount()).toBe(0);
    // The rest of the thousand deliveries lasts for more than half a day.
    expect(most).toBeLessThan(80);

    api.fault = () => undefined;
    for (const end = clock.now + minute; clock.now <= end; clock.now += 15_000) await deliver();
    const versions = api.accepted
      .filter(({ channel }) => channel === channelOf(feedId(token), { chat: 1 }))
      .map(({ event }) => JSON.parse(event).change);
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(await queue.receive(1)).toEqual([]);
    expect(await queue.deadLetterCount()).toBe(0);
  });
});
