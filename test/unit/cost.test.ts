import { describe, expect, test } from 'vitest';
import { inputsFrom } from '../../tools/cost/inputs.ts';
import { billedMs, queueRequests, type Scenario, tracesOf } from '../../tools/cost/lines.ts';
import { extraCosts, floors, monthly, monthlyFloor, monthlyStorage, perMillion } from '../../tools/cost/money.ts';
import { charge, type PriceName, type Prices, readPrices } from '../../tools/cost/prices.ts';
import { usual as deployed, quantities } from '../../tools/cost/quantities.ts';
import { monthlySingle, monthlySnapshots, monthlySurplus, singleFloor } from '../../tools/cost/single.ts';
import { requestSizes } from '../../tools/cost/sizes.ts';

// The expected values are calculated by hand from AWS's rules. They do not depend on the user's price list, which may
// change.
const inputs = { ...inputsFrom({}).inputs, pollers: 5, queueCallMs: 10, idlePollSeconds: 20, chatItemBytes: 134 };
const usual: Scenario = { ...deployed, perSecond: 100, chats: 100, windowSeconds: 1 };

/** A price list in which only the named prices are charged, at one coin a unit. */
const coins = (...paid: PriceName[]): Prices =>
  Object.fromEntries(
    Object.keys(readPrices().prices).map((name) => [
      name,
      { per: 1, tiers: [{ price: Number(paid.includes(name as PriceName)) }] },
    ]),
  ) as Prices;
const aMillion = (price: PriceName, change: Partial<Scenario> = {}) =>
  perMillion({ ...usual, ...change }, inputs, coins(price));

test('each tier charges the units within it', () => {
  const price = { per: 1_000_000, tiers: [{ upTo: 333e6, price: 3.5 }, { upTo: 1_000e6, price: 2.8 }, { price: 2 }] };
  expect(charge(price, 0)).toBe(0);
  expect(charge(price, 1e6)).toBeCloseTo(3.5);
  // 333 × 3.50 and 67 × 2.80.
  expect(charge(price, 400e6)).toBeCloseTo(1_165.5 + 187.6);
  // 333 × 3.50, 667 × 2.80 and 500 × 2.00.
  expect(charge(price, 1_500e6)).toBeCloseTo(1_165.5 + 1_867.6 + 1_000);
});

test.each([
  // Half a processor (1,769 / 2 = 884.5 MB) takes twice as long to compute; the waiting time is the same.
  [{ cpu: 10, wait: 5, memory: 884.5 }, 25],
  [{ cpu: 10, wait: 5, memory: 1_769 }, 15],
  // A single thread cannot use a second processor.
  [{ cpu: 10, wait: 5, memory: 3_538 }, 15],
  [{ cpu: 10.01, wait: 5, memory: 1_769 }, 16],
])(
  'billed time is computing time by the share of a processor plus waiting time, rounded up: %o',
  ({ cpu, wait, memory }, ms) => {
    expect(billedMs(cpu, wait, memory)).toBe(ms);
  },
);

test.each([
  [0, 1],
  [1, 1],
  [65_536, 1],
  [65_537, 2],
  [200_000, 4],
])('a call with %d bytes is %d requests to a queue', (bytes, requests) => {
  expect(queueRequests(bytes)).toBe(requests);
});

test('X-Ray records the first invocation of each second, and 5 % of the others', () => {
  expect([0, 0.5, 1, 11].map(tracesOf)).toEqual([0, 0.5, 1, 1.5]);
});

test('SQL at full load, secrets, followers, sent bytes and warm writes are billed beyond the floor', () => {
  const used: PriceName[] = ['databaseSurplusVcpuHour', 'secretCall', 'transferOutGb', 'tableWarmWriteUnit'];
  const extras = extraCosts(coins(...used, 'eventConnectionMinute', 'eventOperation'));
  expect(Object.values(extras).map(({ value }) => value)).toEqual([
    // Two vCPUs, each 80 % above its baseline.
    expect.closeTo(1.6 * 730),
    // 120 calls an hour.
    120 * 730,
    60_000,
    // One for the connection, and one for the subscription.
    2e6,
    1,
    1_000,
  ]);
});

describe('a million single creates with the feed, 100 a second in 100 chats', () => {
  const events = (followers: number) => aMillion('eventOperation', { followers });

  test('each changed chat of a batch is published to two channels, and delivered to each follower', () => {
    // A batch has 21 messages in 19 chats, so a million messages are 906,000 steps.
    const steps = events(0) / 2;
    expect(steps / 1e6).toBeGreaterThan(0.88);
    expect(steps / 1e6).toBeLessThan(0.93);
    expect(events(10) - events(0)).toBeCloseTo(10 * steps, 3);
    expect(aMillion('tableReadUnit', { followers: 0 }) - aMillion('tableReadUnit')).toBeCloseTo(steps, 3);
  });

  test('a batch of 100 messages is one step, of several operations because an operation has 5 kB', () => {
    // A step of 100 messages has 25 kB.
    const operations = aMillion('eventOperation', { followers: 0, batch: 100 }) / (2 * 10_000);
    expect(operations).toBeGreaterThan(4);
    expect(operations).toBeLessThan(8);
  });

  test('without the feed, nothing of it is billed', () => {
    expect(aMillion('eventOperation')).toBe(0);
    expect(quantities(usual, inputs).filter(({ part }) => part === 'feed')).toEqual([]);
  });
});

describe('a million single creates, 100 a second in 100 chats', () => {
  test('a single create costs one request and one write unit', () => {
    expect(aMillion('apiRequest')).toBeCloseTo(1e6, 3);
    expect(aMillion('tableWriteUnit')).toBeCloseTo(1e6, 3);
  });

  test('a single create with an Idempotency-Key costs three more writes and about one read', () => {
    expect(aMillion('tableWriteUnit', { keys: true })).toBeCloseTo(4e6, 3);
    const more = aMillion('tableReadUnit', { keys: true }) - aMillion('tableReadUnit');
    // The functions are at work longer, so more of them also read the applications.
    expect(more).toBeGreaterThan(0.93e6);
    expect(more).toBeLessThan(0.96e6);
  });

  test('a create reads the application only every 30 s in each function, and with an access token every 25 s', () => {
    const more = (price: PriceName, change: Partial<Scenario>) =>
      aMillion(price, { ...change, accessTokens: true }) - aMillion(price, change);
    for (const price of [
      'apiRequest',
      'functionRequest',
      'functionGbSecondArm',
      'tableWriteUnit',
      'queueRequest',
    ] as const)
      expect(more(price, {})).toBe(0);
    expect(more('secretCall', { chats: 1 })).toBeLessThan((1e6 / 100) * (3 / 300));
    // A read unit is one consistent read, or two others. 100 creates a second keep two or three functions at work. In one
    // application, each of them reads it that often.
    const without = perMillion(
      { ...usual, chats: 1 },
      inputs,
      coins('tableReadUnit'),
      ({ part }) => part === 'requests',
    );
    expect(without).toBeGreaterThan((1e6 / 100) * (1 / 30) * 0.5);
    expect(without).toBeLessThan((1e6 / 100) * (3 / 30) * 0.5);
    expect(more('tableReadUnit', { chats: 1 })).toBeCloseTo(without * ((30 * 2) / 25 - 1), 3);
    // At most one read for each create, where each is in another application.
    expect(more('tableReadUnit', { chats: 1e6 })).toBeCloseTo(0.5e6, 3);
  });

  test('a single create costs one invocation, plus those of the workers', () => {
    // A store batch has 21 messages: one starts it, and a poller gets 20 in the window. Each store batch sends one record
    // to the search queue, 20/21 a second for each poller, so a search batch has 1 + 20/21 records.
    const [store, search] = [1e6 / 21, 1e6 / 21 / (1 + 20 / 21)];
    expect(aMillion('functionRequest')).toBeCloseTo(1e6 + store + search, 3);
  });

  test('a single create costs a send, a receive and a tenth of a delete, plus its share of the search queue', () => {
    const [store, search] = [1e6 / 21, 1e6 / 21 / (1 + 20 / 21)];
    expect(aMillion('queueRequest')).toBeCloseTo(1e6 + 1e6 + 3 * store + store + store + search, 3);
  });

  test('a single create costs its billed time multiplied by the memory', () => {
    const round = {
      ...inputs,
      ...{ createCpuMs: 1, createdMessageCpuMs: 0.01, runtimeMs: 1, tableCallMs: 5, queueCallMs: 10 },
      ...{
        storeBatchMs: 2,
        storeMessageMs: 1,
        searchBatchMs: 2,
        searchMessageMs: 1,
        sqlCallMs: 1,
        searchCallMs: 5,
        countedChatMs: 3,
      },
    };
    const gbSeconds = (part: string, change: Partial<Scenario> = {}) =>
      perMillion(
        { ...usual, memoryMb: 884.5, ...change },
        round,
        coins('functionGbSecondArm'),
        (line) => line.part === part,
      );
    // Half a processor: 2 ms of computing, and 1 + 5 + 10 of waiting, in 884.5 / 1,024 GB.
    expect(gbSeconds('requests')).toBeCloseTo(1e6 * 0.018 * 0.86377, 0);
    // 10,000 requests. Each computes for 2 × (1 + 99 × 0.01) = 3.98 ms and waits for 16 ms: 20 ms, rounded up.
    expect(gbSeconds('requests', { batch: 100 })).toBeCloseTo(1e4 * 0.02 * 0.86377, 1);
    // A store batch has 21 messages: it computes for 2 + 21 ms and waits for 1 + 10 + 7 ms. A search batch has 41: it
    // computes for 2 + 41 ms and waits for 1 + 1 + 5 ms. Both have 1,769 / 1,024 GB. The roll-up takes 3 ms for each of
    // 16,667 reads, with half a GB.
    const workers = (1e6 / 21) * 0.041 + (1e6 / 41) * 0.05;
    expect(gbSeconds('queues and workers')).toBeCloseTo(workers * 1.727539 + (1e6 / 60) * 0.003 * 0.5, 0);
  });

  test('a single create costs a line of the access log, and its traces', () => {
    const accessLog = perMillion(usual, inputs, coins('logGb'), ({ what }) => what === 'access log');
    expect(accessLog).toBeCloseTo(0.35);
    // One of the 100 invocations of a second, and 5 % of the other 99.
    const requests = perMillion(usual, inputs, coins('traceRecorded'), ({ part }) => part === 'requests');
    expect(requests).toBeCloseTo((1 + 0.05 * 99) * 1e4, 3);
  });

  test('the roll-up reads each changed chat once a minute', () => {
    // 100 chats are 100 reads while 6,000 messages come.
    const reads = perMillion(usual, inputs, coins('tableReadUnit'), ({ part }) => part === 'queues and workers');
    expect(reads).toBeCloseTo(1e6 / 60, 3);
  });
});

describe('a million creates in batches of 1,000', () => {
  const batch = 1_000;

  test('a batch of 1,000 costs one record and one write unit', () => {
    const { records } = requestSizes(batch);
    expect(records).toHaveLength(1);
    expect(aMillion('apiRequest', { batch })).toBeCloseTo(1_000, 6);
    expect(aMillion('tableWriteUnit', { batch })).toBeCloseTo(1_000, 6);
  });

  test("a batch's record costs a request to SQS for each 64 KiB, when it is sent and when it is received", () => {
    // {"kind":"message","token":"…22…","chat":100,"number":100000,"revision":0,"at":…13…,"body":"…80…"} is 200, its comma 1.
    expect(requestSizes(batch).records[0]).toBe(
      201_000 - 1 + '{"version":1,"requests":["…36…"],"writes":[]}'.length + 32,
    );
    // 0.1 requests a second are 0.02 for each poller, so a store batch has 1.02 records with 1,020 messages. The search
    // queue gets 62 bytes for each message, {"token":"…22…","chat":100,"number":100000} and a comma: less than 64 KiB.
    const store = 1_000 / 1.02;
    // Each transaction of 1,000 messages sends one record to the search queue, which gets 0.02 a second for each poller.
    const search = 1_000 / 1.02;
    expect(aMillion('queueRequest', { batch })).toBeCloseTo(4 * 1_000 + 4 * 1_000 + store + store + 1_000 + search, 3);
  });
});

test('tiers apply to the total of a month, whatever part of it is calculated', () => {
  // 100 a second are 262.8 million a month: the first 100 million cost 2, the rest nothing.
  const prices = { ...coins(), apiRequest: { per: 1e6, tiers: [{ upTo: 100e6, price: 2 }, { price: 0 }] } };
  expect(monthly(usual, inputs, prices)).toBeCloseTo(200);
  expect(monthly(usual, inputs, prices, ({ part }) => part === 'queues and workers')).toBe(0);
});

test('the floor consists of machines, disks, endpoints and polling', () => {
  const prices = {
    ...coins(),
    databaseHour: { per: 1, tiers: [{ price: 0.1 }] },
    databaseGbMonth: { per: 1, tiers: [{ price: 0.2 }] },
    databaseProxyVcpuHour: { per: 1, tiers: [{ price: 0.01 }] },
    searchNodeHour: { per: 1, tiers: [{ price: 0.3 }] },
    searchGbMonth: { per: 1, tiers: [{ price: 0.4 }] },
    endpointHour: { per: 1, tiers: [{ price: 0.01 }] },
    queueRequest: { per: 1e6, tiers: [{ price: 1 }] },
    secretMonth: { per: 1, tiers: [{ price: 5 }] },
    metricMonth: { per: 1, tiers: [{ price: 7 }] },
  };
  const floor = monthlyFloor(floors.prod, inputs, prices);
  // Two machines, and a proxy by the two processors of one.
  expect(floor.SQL).toBeCloseTo(2 * 730 * 0.1 + 2 * 20 * 0.2 + 2 * 7.3);
  expect(floor.search).toBeCloseTo(3 * 730 * 0.3 + 3 * 100 * 0.4);
  expect(floor['private network']).toBeCloseTo(6 * 7.3);
  // Three queues, five pollers each, three polls a minute: 1,971,000 a month.
  expect(floor['queue polls, schedules, secrets']).toBeCloseTo(1.971 + 5 * 5);
  expect(monthlyFloor(floors.dev, inputs, prices).SQL).toBeCloseTo(73 + 4 + 14.6);
  expect(floor['metrics and alarms']).toBeCloseTo(14 * 7);
});

test('stage single costs its instance, disks, address, health check, metric and alarms', () => {
  const round = { ...inputs, healthCheckMs: 500, logBytes: 1_000 };
  const bill = (...paid: PriceName[]) => monthlySingle(singleFloor, round, coins(...paid));
  expect(bill('instanceHour').instance).toBeCloseTo(730);
  expect(bill('diskGbMonth').disks).toBeCloseTo(8 + 10);
  expect(bill('addressHour')['public address']).toBeCloseTo(730);
  // 43,800 runs of half a second with an eighth of a GB, and a kB of log each.
  expect(bill('functionRequest')['health check']).toBeCloseTo(43_800);
  expect(bill('functionGbSecondArm')['health check']).toBeCloseTo(43_800 / 16);
  expect(bill('logGb')['health check']).toBeCloseTo(0.0438);
  expect(bill('alarmMetricMonth', 'keyMonth', 'metricMonth')['metrics, alarms and their key']).toBeCloseTo(4 + 1 + 1);
  // A report every hour.
  expect(bill('metricCall')['metrics, alarms and their key']).toBeCloseTo(730);
});

test('the snapshots of stage single have the backups of two weeks, and six times a new one and what changed', () => {
  // A million messages of 1,000 bytes are 1 GB, with 14 copies.
  expect(monthlySnapshots({ ...inputs, embeddedBytes: 1_000 }, coins('snapshotGbMonth'))).toBeCloseTo(15 + 6 * 2);
});

test('two vCPUs of stage single that are fully busy are charged for what is above their baseline', () => {
  expect(monthlySurplus(coins('instanceSurplusVcpuHour'))).toBeCloseTo(1.6 * 730);
});

test('a million stored messages cost their bytes in each copy', () => {
  const kept = monthlyStorage(
    floors.prod,
    { ...inputs, rowBytes: 300, documentBytes: 1_000 },
    coins('databaseGbMonth', 'searchGbMonth'),
  );
  expect(kept['messages in SQL']).toBeCloseTo(0.6);
  expect(kept['messages in the search index']).toBeCloseTo(2);
});
