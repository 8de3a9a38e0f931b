import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMessages } from '../../functions/api/create-messages.ts';
import { report } from '../../functions/aws/report.ts';
import { log, logEvents, setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Report } from '../../functions/runtime/observe/report.ts';
import { searchWorker } from '../../functions/workers/search.ts';
import { storeWorker } from '../../functions/workers/store.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { limits } from '../../lib/limits.ts';
import type { Write } from '../../lib/model/write.ts';
import { decodeChangesRecord, encodeWrites } from '../../lib/queue/records.ts';
import { UnstorableWrite } from '../../lib/store/merging.ts';
import { lambdaContext, sqsEvent } from '../../local/lambda-events.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { applicationWrite, messageWrite, messageWrites } from '../support/histories/writes.ts';
import { deliver } from '../support/servers/batch.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

setLogLevel('silent');
afterEach(() => {
  vi.restoreAllMocks();
});

describe('a report', () => {
  let opened: TestServices;
  let reports: Parameters<Report>[];
  beforeEach(async () => {
    opened = await openWorkerServices();
    reports = [];
    opened.services.report = (...told) => reports.push(told);
  });
  afterEach(() => opened.file.remove());

  const ids = Array.from({ length: 4 }, () => randomUUID());
  const [one, two, three, four] = ids as [string, string, string, string];

  test('the store worker reports the stored writes, the lag of the oldest, the repeated records and the poison', async () => {
    const now = Date.now();
    const records = [
      encodeWrites([messageWrite('t', 1, 1, { at: now - 5_000 }), applicationWrite('t', { at: now })], [one, two]),
      encodeWrites([messageWrite('t', 1, 2, { at: now - 1_000 })], [three]),
      // A write without a client's request may be years old.
      encodeWrites([messageWrite('t', 1, 3, { at: 1 })]),
      'not a record',
    ];
    const deliveries = records.map((body, i) => ({ receipt: `${i}`, body, receives: i === 1 ? 2 : 1 }));
    await storeWorker(opened.services)(sqsEvent('store', deliveries), lambdaContext('store'));
    expect(reports).toEqual([
      [
        'a batch was stored',
        { stored: 4, stored_lag: expect.closeTo(5, 0), duplicates: 1, poison: 1 },
        [one, two, three],
      ],
    ]);
  });

  test('a batch that failed as a whole reports only its failure', async () => {
    const record = encodeWrites([messageWrite('t', 1, 1)], [one]);
    await deliver(storeWorker(opened.services), record);
    opened.file.database.close();
    await deliver(storeWorker(opened.services), record);
    await deliver(searchWorker(opened.services), ...opened.sent);
    expect(reports.slice(1)).toEqual([
      ['a batch failed and will be retried', { store_failures: 1 }, []],
      ['a batch failed and will be retried', { index_failures: 1 }, []],
    ]);
  });

  test('the search worker reports the indexed messages and their lag since they were accepted', async () => {
    const at = Date.now() - 7_000;
    await deliver(storeWorker(opened.services), encodeWrites([messageWrite('t', 1, 1, { at })], [one]));
    await deliver(searchWorker(opened.services), ...opened.sent);
    expect(reports[1]).toEqual([
      'a batch was indexed',
      { indexed: 1, indexed_lag: expect.closeTo(7, 0), duplicates: 0, poison: 0 },
      [one],
    ]);
  });

  test('a report leaves out the requests of a dead letter, which its own log line names', async () => {
    const error = vi.spyOn(log, 'error').mockReturnValue();
    const { store } = opened.services;
    opened.services.store = Object.create(store, {
      merge: {
        value: (writes: Write[]) => {
          if (writes.some((write) => 'number' in write && write.number === 1)) throw new UnstorableWrite('no');
          return store.merge(writes);
        },
      },
    });
    const records = [encodeWrites([messageWrite('t', 1, 1)], [one]), encodeWrites([messageWrite('t', 1, 2)], [two])];
    await deliver(storeWorker(opened.services), ...records);
    expect(reports[0]).toMatchObject(['a batch was stored', { stored: 1, poison: 1 }, [two]]);
    expect(error).toHaveBeenCalledExactlyOnceWith(
      logEvents.movedToDeadLetters,
      expect.objectContaining({ request_ids: one }),
    );
  });

  test('an accepted request reports its number of writes and its id', async () => {
    const ledger = { createMessages: async () => ({ first: 1, at: 1 }) } as unknown as Ledger;
    const event = apiEvent('createMessages', { body: { messages: [{ body: 'a' }, { body: 'b' }] } });
    const handler = createMessages({ ledger, access: noAccess, report: opened.services.report });
    const { headers } = await answer(handler, event);
    expect(reports).toEqual([['a write was accepted', { accepted: 2 }, [headers['x-request-id']]]]);
    await answer(handler, apiEvent('createMessages', { body: { messages: [] } }));
    expect(reports).toHaveLength(1);
  });

  test('a report on a host without metrics is a log line at level debug', async () => {
    const debug = vi.spyOn(log, 'debug').mockReturnValue();
    const { report: _, ...services } = opened.services;
    await deliver(storeWorker(services), encodeWrites([messageWrite('t', 1, 1)], [one]));
    expect(debug).not.toHaveBeenCalled();
    setLogLevel('debug');
    onTestFinished(() => setLogLevel('silent'));
    await deliver(storeWorker(services), encodeWrites([messageWrite('t', 1, 1)], [one]));
    expect(debug).toHaveBeenCalledWith('a batch was stored', expect.objectContaining({ stored: 1, request_ids: one }));
  });

  test('the store worker sends the ids of the requests and the time of the oldest write to the search queue', async () => {
    const size = limits.rowsPerTransaction;
    await deliver(
      storeWorker(opened.services),
      encodeWrites([applicationWrite('t', { at: 1 })], [one]),
      encodeWrites(messageWrites('t', 1, 1, size), [two]),
      encodeWrites([messageWrite('t', 1, 1, { revision: 1, at: 50 })], [three]),
      encodeWrites([messageWrite('t', 1, size + 1, { at: 40 })], [four]),
    );
    expect(opened.sent.map(decodeChangesRecord).map(({ requests, at }) => ({ requests, at }))).toEqual([
      { requests: [two], at: 3_010 },
      { requests: [three, four], at: 40 },
    ]);
  });
});

describe('a report on AWS', () => {
  const printed = async (...told: Parameters<Report>): Promise<Record<string, unknown>[]> => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    (await report.create({ SYSTEM_NAME: 'ChatSystem-test' }))(...told);
    vi.restoreAllMocks();
    return lines.map((line) => JSON.parse(line));
  };

  test('a report on AWS is a line in the embedded metric format, with the metrics, the message and the requests', async () => {
    const [line, ...more] = await printed('a batch was stored', { stored: 3, stored_lag: 0.5, poison: 0 }, ['a', 'b']);
    expect(more).toEqual([]);
    expect(line).toEqual({
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: 'ChatSystem',
            Dimensions: [['service']],
            Metrics: [
              { Name: 'stored', Unit: 'Count' },
              { Name: 'stored_lag', Unit: 'Seconds' },
            ],
          },
        ],
      },
      service: 'ChatSystem-test',
      message: 'a batch was stored',
      request_ids: 'a b',
      stored: 3,
      stored_lag: 0.5,
    });
  });

  test('a report without values writes no line on AWS', async () => {
    expect(await printed('parked writes were sent', { swept: 0 }, [])).toEqual([]);
  });

  test('a report with very many requests takes several lines on AWS, each below the size limit', async () => {
    setLogLevel('info');
    onTestFinished(() => setLogLevel('silent'));
    const requests = Array.from({ length: 2 * limits.requestIdsPerLine + 1 }, () => randomUUID());
    const lines = await printed('a batch was indexed', { indexed: 1 }, requests);
    expect(lines.map((line) => '_aws' in line)).toEqual([true, false, false]);
    expect(lines.flatMap(({ request_ids }) => String(request_ids).split(' '))).toEqual(requests);
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(256_000 - 26);
  });
});
