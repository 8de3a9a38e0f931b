import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { functionSizes } from '../../infra/sizes.ts';
import { Random } from '../../tools/statistics/random.ts';
import { violations } from '../support/histories/history-check.ts';
import { type Answer, ChaosClients } from './chaos-clients.ts';
import { type ChaosEngine, startChaosEngine } from './chaos-engine.ts';

setLogLevel('silent');

const applications = 3;
const readMs = functionSizes.read.timeout.toMilliseconds();
/** How long to wait until an outage has its effect, or until the readers notice its end, in milliseconds. */
const patiently = { timeout: 60_000, interval: 50 };
/** How long to wait until the backlog is processed. A record that failed often waits up to a minute for its retry. */
const drained = { timeout: 150_000, interval: 250 };

/** The reads of the load. A search reads from SQL first. */
const reads = { listMessages: 'lists', searchChat: 'searches' } as const;
type Read = keyof typeof reads;

describe('under steady load', () => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  const figures: string[] = [];
  let engine: ChaosEngine;
  let clients: ChaosClients[];
  beforeAll(async () => {
    engine = await startChaosEngine();
    const random = new Random(seed);
    clients = await Promise.all(
      Array.from({ length: applications }, async () => ChaosClients.open(await engine.operations(), random)),
    );
    for (const each of clients) each.start();
  }, 300_000);
  afterAll(async () => {
    await Promise.all((clients ?? []).map((each) => each.stop()));
    await engine?.stop();
    console.log([`chaos: SEED=${seed} makes the same choices again`, ...figures].join('\n'));
  }, 120_000);

  const written = () => clients.flatMap(({ writes }) => writes);
  const readBy = (each: ChaosClients, id: Read) => each.reads.filter((one) => one.id === id);
  const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`;
  const slowest = (answers: Answer[]) =>
    `${Math.round(Math.max(0, ...answers.map(({ begunAt, endedAt }) => endedAt - begunAt))).toLocaleString('en')} ms`;

  /** Returns whether every reader has had a correct response to a request that started after `since`. */
  const served = (id: Read, since: number, status: number) =>
    clients.every((each) => readBy(each, id).some((one) => one.begunAt > since && one.status === status));

  /**
   * Starts an outage, waits for its effect, ends it, and waits until every client is served again.
   *
   * @param affected the reads that fail during the outage; all others succeed all the time
   * @param felt a further condition that shows the effect of the outage
   */
  async function outage(
    name: string,
    affected: Read[],
    begin: () => unknown,
    end: () => unknown,
    felt: () => boolean = () => true,
  ): Promise<void> {
    const begunAt = performance.now();
    const acceptedBefore = written().length;
    try {
      await begin();
      await expect
        .poll(
          () => affected.every((id) => served(id, begunAt, 503)) && written().length > acceptedBefore + 100 && felt(),
          patiently,
        )
        .toBe(true);
    } finally {
      await end();
    }
    const endedAt = performance.now();
    const all = Object.keys(reads) as Read[];
    await expect.poll(() => all.every((id) => served(id, endedAt, 200)), patiently).toBe(true);
    const backAt = performance.now();

    const during = ({ begunAt: from, endedAt: to }: Answer) => to > begunAt && from < backAt;
    const readMeanwhile = clients.flatMap((each) => each.reads).filter(during);
    const refused = readMeanwhile.filter(({ status }) => status !== 200);
    for (const { id, status, retryAfter } of refused) {
      expect([id, status]).toEqual([expect.toBeOneOf(affected), 503]);
      expect(Number(retryAfter)).toBeGreaterThan(0);
    }
    for (const { id, begunAt: from, endedAt: to } of readMeanwhile) expect(to - from, id).toBeLessThan(readMs);
    const wrote = written().filter(during);
    expect(wrote.filter(({ status }) => status >= 300)).toEqual([]);
    figures.push(
      `  ${name.padEnd(38)} ${seconds(endedAt - begunAt).padStart(7)}, served again after ${seconds(backAt - endedAt).padStart(6)}: ${String(refused.length).padStart(3)} reads of ${readMeanwhile.length} returned 503 (slowest ${slowest(readMeanwhile)}), ${wrote.length} writes accepted (slowest ${slowest(wrote)})`,
    );
  }

  /** Returns a condition: this number of batches has timed out since. */
  const timeouts = (more: number) => {
    const before = engine.figures.timeouts;
    return () => engine.figures.timeouts >= before + more;
  };

  test("while SQL hangs longer than the store worker's timeout, writes succeed and reads get a 503 in time and recover", () =>
    outage(
      'SQL stopped (SIGSTOP)',
      ['listMessages', 'searchChat'],
      () => engine.sql.freeze(),
      () => engine.sql.thaw(),
      timeouts(1),
    ));

  test('while SQL is killed and restarted, writes succeed and reads recover', () =>
    outage(
      'SQL killed (SIGKILL) and restarted',
      ['listMessages', 'searchChat'],
      () => engine.sql.kill(),
      () => engine.sql.restart(),
    ));

  test('when the store worker times out after its commit, clients notice nothing', () =>
    outage(
      'store worker times out',
      [],
      () => {
        engine.storeWorkerHangs = true;
      },
      () => {
        engine.storeWorkerHangs = false;
      },
      timeouts(2),
    ));

  test("while OpenSearch hangs longer than the search worker's timeout, only searches get a 503", () =>
    outage(
      'OpenSearch stopped (SIGSTOP)',
      ['searchChat'],
      () => engine.search.freeze(),
      () => engine.search.thaw(),
      timeouts(1),
    ));

  test('while OpenSearch is killed and restarted, only searches are affected', () =>
    outage(
      'OpenSearch killed (SIGKILL), restarted',
      ['searchChat'],
      () => engine.search.kill(),
      () => engine.search.restart(),
    ));

  test('while SQS refuses connections, writes are parked, and the sweeper sends them afterwards', async () => {
    const before = engine.figures.swept;
    await outage(
      'SQS out',
      [],
      () => engine.sqs.refuse(),
      () => engine.sqs.restore(),
    );
    await expect.poll(() => engine.figures.swept, patiently).toBeGreaterThan(before + 50);
  });

  test('after all outages, exactly the accepted writes are stored, found and counted', async () => {
    await Promise.all(clients.map((each) => each.stop()));
    const stoppedAt = performance.now();
    const wrongs = async () => {
      const found = clients.flatMap((each) =>
        each.parents.map(async (parent) => {
          const { token } = each;
          const { chat, history } = parent;
          const [counter = 0] = await engine.ledger.counters([chat === undefined ? { token } : { token, chat }]);
          return violations(history, { counter, ...(await each.finalState(parent)) });
        }),
      );
      return (await Promise.all(found)).flat();
    };
    await expect.poll(wrongs, drained).toEqual([]);
    const writes = written();
    expect(writes.filter(({ status }) => status >= 300)).toEqual([]);
    expect(await engine.deadLetters()).toBe(0);
    const { timeouts, swept } = engine.figures;
    figures.unshift(
      `  ${writes.length.toLocaleString('en')} writes by ${applications * 2} writers, 0 failed; slowest ${slowest(writes)}`,
      `  ${timeouts} batches timed out, ${swept} records were parked and swept, 0 dead letters; all stored, found and counted ${seconds(performance.now() - stoppedAt)} after the last write`,
    );
  });
});
