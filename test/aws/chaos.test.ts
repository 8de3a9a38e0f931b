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
/**
 * Longest waits: for an outage to be felt, or for the readers to notice its end; for the backlog, in which what failed often
 * waits up to a minute.
 */
const patiently = { timeout: 60_000, interval: 50 };
const drained = { timeout: 150_000, interval: 250 };

/** What readers ask; a search asks SQL first. */
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

  /** Everybody has been answered a read as it should be, asked for after that time. */
  const served = (id: Read, since: number, status: number) =>
    clients.every((each) => readBy(each, id).some((one) => one.begunAt > since && one.status === status));

  /**
   * Makes an outage, waits until it is felt, ends it, and waits until everybody is served again.
   *
   * @param affected the reads that can't be answered meanwhile; the others are answered all the time
   * @param felt further proof of the outage
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
      `  ${name.padEnd(38)} ${seconds(endedAt - begunAt).padStart(7)}, served again after ${seconds(backAt - endedAt).padStart(6)}: ${String(refused.length).padStart(3)} reads of ${readMeanwhile.length} answered 503 (slowest ${slowest(readMeanwhile)}), ${wrote.length} writes accepted (slowest ${slowest(wrote)})`,
    );
  }

  /** So many more batches have run out of time by then. */
  const timeouts = (more: number) => {
    const before = engine.figures.timeouts;
    return () => engine.figures.timeouts >= before + more;
  };

  test('SQL may be stopped, for longer than the store worker has time: writes go on, reads are 503 in time and recover', () =>
    outage(
      'SQL stopped (SIGSTOP)',
      ['listMessages', 'searchChat'],
      () => engine.sql.freeze(),
      () => engine.sql.thaw(),
      timeouts(1),
    ));

  test('SQL may be killed and started again', () =>
    outage(
      'SQL killed (SIGKILL) and restarted',
      ['listMessages', 'searchChat'],
      () => engine.sql.kill(),
      () => engine.sql.restart(),
    ));

  test('the store worker may run out of time after its commit', () =>
    outage(
      'store worker out of time',
      [],
      () => {
        engine.storeWorkerHangs = true;
      },
      () => {
        engine.storeWorkerHangs = false;
      },
      timeouts(2),
    ));

  test('OpenSearch may be stopped, for longer than the search worker has time: only searches are 503', () =>
    outage(
      'OpenSearch stopped (SIGSTOP)',
      ['searchChat'],
      () => engine.search.freeze(),
      () => engine.search.thaw(),
      timeouts(1),
    ));

  test('OpenSearch may be killed and started again', () =>
    outage(
      'OpenSearch killed (SIGKILL), restarted',
      ['searchChat'],
      () => engine.search.kill(),
      () => engine.search.restart(),
    ));

  test('SQS may refuse connections: writes are parked, and swept when it is back', async () => {
    const before = engine.figures.swept;
    await outage(
      'SQS out',
      [],
      () => engine.sqs.refuse(),
      () => engine.sqs.restore(),
    );
    await expect.poll(() => engine.figures.swept, patiently).toBeGreaterThan(before + 50);
  });

  test('after all of it, everything accepted is stored, found and counted, and nothing else', async () => {
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
      `  ${timeouts} batches ran out of time, ${swept} records were parked and swept, 0 dead letters; all stored, found and counted ${seconds(performance.now() - stoppedAt)} after the last write`,
    );
  });
});
