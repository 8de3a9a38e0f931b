import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ChatSystemError } from '../../client/src/error.ts';
import { type FollowedStep, Follower, type FollowStatus } from '../../client/src/follower.ts';
import type { Connection, WireEvent } from '../../client/src/wire.ts';
import {
  type Announcement,
  chat,
  type RequestFaults,
  type Row,
  SimulatedChat,
} from '../support/client/simulated-chat.ts';

// The follower on a simulated chat, in simulated time: whatever is lost, doubled, late or reordered, it ends with what
// the store has.

beforeEach(() => {
  vi.useFakeTimers();
  // The follower waits for random times.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type Action =
  | { kind: 'commit'; numbers: number[]; deletes: boolean; announcement: Announcement }
  | { kind: 'break' | 'silence' };
interface Scenario {
  isOrdered: boolean;
  /** The actions, each with the milliseconds since the action before it. */
  actions: { afterMs: number; action: Action }[];
  requestFaults: RequestFaults;
  /** How long the consumer works on a step, in milliseconds. */
  consumeMs: number;
  /** After how many steps the consumer stops, and begins again with the version that it has. */
  stopsAfter: number;
}

const ms = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 }), fc.integer({ min: 400, max: 40_000 }));
const announcement: fc.Arbitrary<Announcement> = fc.record({
  delaysMs: fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.integer({ max: 300, min: 0 })) },
    { weight: 2, arbitrary: fc.array(ms, { maxLength: 3 }) },
  ),
  readBackMs: fc.integer({ min: 0, max: 50 }),
  tellsLater: fc.boolean(),
  isTooLarge: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      numbers: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 7 }),
      deletes: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      announcement,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('break' as const, 'silence' as const) }) },
);
const few = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }), {
    maxLength: 5,
  })
  .map((fails) => [...fails, false]);
const delays = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 4 });
const scenario: fc.Arbitrary<Scenario> = fc.record({
  isOrdered: fc.boolean(),
  actions: fc.array(fc.record({ afterMs: ms, action }), { minLength: 1, maxLength: 25 }),
  requestFaults: fc.record({ readMs: delays, readFails: few, connectMs: delays, connectFails: few }),
  consumeMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 })),
  stopsAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 6 })),
});

/** Maximum number of stops. A consumer that always stops within a version larger than a page would never get past it. */
const mostStops = 4;
/** Longer than the follower needs to notice what was lost: five minutes between two checks, and its back-off. */
const settledMs = 900_000;

/** Scenarios that are tried: `RUNS=10000 SEED=7 npx vitest run …` tries others, and more. */
const numRuns = Number(process.env.RUNS ?? 300);

type FollowerClass = typeof Follower;

/** Consumes a chat as an application does, and fails on what no application may see. */
class Consumer {
  rows = new Map<number, Row>();
  steps: FollowedStep[] = [];
  /** The version that it has saved. */
  at = 0;
  /** What it was told since it began. */
  #told = new Set<string>();

  take(step: FollowedStep): void {
    this.steps.push(step);
    if (step.reset) {
      expect(step).toEqual({ chat, change: 0, data: [], reset: true });
      this.rows.clear();
      this.#told.clear();
    } else expect(step.change, 'the versions rise').toBeGreaterThanOrEqual(this.at);
    let before = this.at;
    for (const row of step.data as Row[]) {
      const { number } = row.message;
      expect(row.change, 'the changes are in order').toBeGreaterThanOrEqual(before);
      expect(this.#told, 'a change comes once').not.toContain(`${number} in ${row.change}`);
      before = row.change;
      this.#told.add(`${number} in ${row.change}`);
      this.rows.set(number, row);
    }
    this.at = step.change;
  }

  /** Begins again as a new process does. If it has a part of a version, it gets that part again. */
  restart(): void {
    this.#told.clear();
  }
}

async function run(
  FollowerUnderTest: FollowerClass,
  given: Scenario,
): Promise<{ store: SimulatedChat; consumer: Consumer }> {
  const store = new SimulatedChat(given.isOrdered, given.requestFaults);
  const consumer = new Consumer();
  const ending = new AbortController();
  const follow = async () => {
    for (let stops = 0; ; stops++) {
      const follower = new FollowerUnderTest(store, () => {}, ending.signal);
      let steps = 0;
      for await (const step of follower.follow(new Map([[chat, consumer.at]]))) {
        consumer.take(step);
        await new Promise((resolve) => setTimeout(resolve, given.consumeMs));
        if (++steps >= given.stopsAfter && stops < mostStops) break;
      }
      consumer.restart();
    }
  };
  const following = follow().catch((error: unknown) => error);
  for (const { afterMs, action } of given.actions) {
    await vi.advanceTimersByTimeAsync(afterMs);
    if (action.kind === 'commit') store.commit(action.numbers, action.deletes, action.announcement);
    else if (action.kind === 'break') store.breakConnections();
    else store.silenceConnections();
  }
  await vi.advanceTimersByTimeAsync(settledMs);
  ending.abort('done');
  await vi.advanceTimersByTimeAsync(settledMs);
  const error = await following;
  if (error !== 'done') throw error;
  return { store, consumer };
}

const property = (FollowerUnderTest: FollowerClass) =>
  fc.asyncProperty(scenario, async (given) => {
    const { store, consumer } = await run(FollowerUnderTest, given);
    expect(consumer.rows).toEqual(store.rows);
  });

/** Bugs of the follower, each as a text of its source and what replaces it. */
const bugs: { name: string; file: 'follower.ts' | 'sequence.ts'; edits: [text: string, bug: string][] }[] = [
  {
    name: 'it reads what it missed before it is connected',
    file: 'follower.ts',
    edits: [
      ['if (!connection.isOrdered) yield* this.#readAll();', ''],
      ['const connection = await', 'yield* this.#readAll(); const connection = await'],
    ],
  },
  {
    name: 'it resumes one version too late',
    file: 'follower.ts',
    edits: [['[chat, at]))', '[chat, at + 1]))']],
  },
  {
    name: 'it reads from one version too late',
    file: 'follower.ts',
    edits: [['read(chat, unread', 'read(chat, { ...unread, after: unread.after + 1 }']],
  },
  {
    name: 'it begins again one version too early',
    file: 'follower.ts',
    edits: [['new Sequence(at)', 'new Sequence(at - 1)']],
  },
  {
    name: 'it never checks whether the last step was lost',
    file: 'follower.ts',
    edits: [
      [
        'const { silenceMs, checkMs } = connection;',
        'const { silenceMs } = connection; const checkMs = undefined as Connection["checkMs"];',
      ],
    ],
  },
  {
    name: 'it does not notice that a connection is silent',
    file: 'follower.ts',
    edits: [
      [
        'const { silenceMs, checkMs } = connection;',
        'const { checkMs } = connection; const silenceMs = Number.POSITIVE_INFINITY;',
      ],
    ],
  },
  {
    name: 'it ignores a gap',
    file: 'sequence.ts',
    edits: [
      ['if (this.#kept.size < keptSteps) this.#kept.set(change, data);', 'return this.#advance(change, data ?? []);'],
    ],
  },
  {
    name: 'it takes a repeated step twice',
    file: 'sequence.ts',
    edits: [
      [
        'if (change <= this.#at) return [];',
        'if (change <= this.#at && data) return [{ change: this.#at, data: [...data] }];',
      ],
    ],
  },
  {
    name: 'it takes a step that was too large as one without changes',
    file: 'sequence.ts',
    edits: [
      ['if (data && !this.mustRead)', 'if (!this.mustRead)'],
      ['this.#advance(change, data));', 'this.#advance(change, data ?? []));'],
    ],
  },
  {
    name: 'it continues after a version of which it has only a part',
    file: 'sequence.ts',
    edits: [['if (cursor) this.#rest = { after, cursor };', 'if (cursor) this.#at++;']],
  },
  {
    name: 'it forgets that it has a part of a version',
    file: 'sequence.ts',
    edits: [['if (cursor) this.#rest = { after, cursor };', '']],
  },
  {
    name: 'it returns a change with an earlier version, and again with its own',
    file: 'sequence.ts',
    edits: [['change > this.#at && change <= last', 'change > this.#at']],
  },
];

const sources = path.resolve(import.meta.dirname, '../../client/src');

/** Returns the class with these edits in its source. */
async function edited(file: string, edits: [text: string, bug: string][]): Promise<FollowerClass> {
  const build = path.resolve(import.meta.dirname, '../../.build');
  mkdirSync(build, { recursive: true });
  const folder = mkdtempSync(path.join(build, 'follower-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['follower.ts', 'sequence.ts']) {
    let source = readFileSync(path.join(sources, name), 'utf8');
    for (const [text, bug] of name === file ? edits : []) {
      expect(source.split(text), `${text} is once in ${name}`).toHaveLength(2);
      source = source.replace(text, () => bug);
    }
    // The other modules are imported from the original folder, because errors are compared by their class.
    writeFileSync(path.join(folder, name), source.replace(/'\.\/((?!sequence)\w+\.ts)'/g, `'${sources}/$1'`));
  }
  return (await import(path.join(folder, 'follower.ts'))).Follower;
}

describe('a follower', () => {
  test('a follower ends with what the store has, and gets each change once and in order, whatever fails', async () => {
    await fc.assert(property(Follower), { numRuns });
  });

  test('a follower that is loaded from a copy of its source without edits has no bug', async () => {
    await fc.assert(property(await edited('', [])), { numRuns: 20 });
  });

  test.each(bugs)('a bug of the follower is found: $name', async ({ file, edits }) => {
    const result = await fc.check(property(await edited(file, edits)), { numRuns, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
});

const atOnce: Announcement = { delaysMs: [0], readBackMs: 0, tellsLater: false, isTooLarge: false };
const noFaults: RequestFaults = { readMs: [0], readFails: [false], connectMs: [0], connectFails: [false] };

/** A follower on a simulated chat, and what it has told. */
function followed(isOrdered: boolean, after: number | undefined, store = new SimulatedChat(isOrdered, noFaults)) {
  const ending = new AbortController();
  onTestFinished(() => ending.abort('the end of the test'));
  const statuses: (string | true)[] = [];
  const onStatus = (status: FollowStatus) => void statuses.push(status.live || status.error.code);
  const steps: FollowedStep[] = [];
  const follow = async () => {
    const follower = new Follower(store, onStatus, ending.signal);
    for await (const step of follower.follow(new Map([[chat, after]]))) steps.push(step);
  };
  const ended = follow().then(
    () => 'ended' as const,
    (error: unknown) => error,
  );
  return { store, steps, statuses, ended, ending };
}
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000);
const row = (change: number, number: number, type = 'created') => ({
  change,
  type: `message.${type}`,
  message: { number },
});

describe.each([true, false])('a follower of a connection that keeps the order: %s', (isOrdered) => {
  test('a follower begins with what comes from now on, or with what comes after a version', async () => {
    const store = new SimulatedChat(isOrdered, noFaults);
    for (const number of [1, 2, 3]) store.commit([number], false, atOnce);
    const fromNow = followed(isOrdered, undefined, store);
    const fromOne = followed(isOrdered, 1, store);
    await seconds(1);
    store.commit([1], false, atOnce);
    await seconds(1);
    expect(fromNow.steps.flatMap(({ data }) => data)).toEqual([row(4, 1, 'edited')]);
    expect(fromOne.steps.flatMap(({ data }) => data)).toEqual([row(2, 2), row(3, 3), row(4, 1, 'edited')]);
    expect(fromOne.steps.at(-1)?.change).toBe(4);
    expect(fromNow.statuses).toEqual([true]);
  });

  test('a follower is told of a restored backup, and begins again', async () => {
    const { store, steps } = followed(isOrdered, 0);
    store.commit([1], false, atOnce);
    const backup = structuredClone({ version: store.version, rows: store.rows });
    store.commit([2], false, atOnce);
    store.commit([3], false, atOnce);
    await seconds(1);
    expect(steps.at(-1)?.change).toBe(3);
    steps.length = 0;
    store.restore(backup.version, backup.rows);
    await seconds(60);
    store.commit([4], false, atOnce);
    await seconds(1);
    expect(steps).toEqual([
      { chat, change: 0, data: [], reset: true },
      { chat, change: 1, data: [row(1, 1)] },
      { chat, change: 2, data: [row(2, 4)] },
    ]);
  });

  test('a follower ends with a last step when the chat is deleted', async () => {
    const { store, steps, ended } = followed(isOrdered, 0);
    store.commit([1], false, atOnce);
    await seconds(1);
    store.delete();
    await seconds(60);
    expect(await ended).toBe('ended');
    expect(steps.at(-1)).toEqual({ chat, change: 1, data: [], deleted: true });
  });

  test('a follower continues after the server was down for an hour, and reports when it is live', async () => {
    const { store, steps, statuses } = followed(isOrdered, 0);
    await seconds(1);
    store.isOut = true;
    store.breakConnections();
    await seconds(3_600);
    expect(store.connects).toBeLessThan(3_600 / 15);
    store.commit([1], false, atOnce);
    store.isOut = false;
    await seconds(40);
    expect(steps).toEqual([{ chat, change: 1, data: [row(1, 1)] }]);
    expect([statuses[0], new Set(statuses.slice(1, -1)), statuses.at(-1)]).toEqual([
      true,
      new Set(['no_response']),
      true,
    ]);
  });

  test.each([
    [401, 'access_token_expired'],
    [403, 'not_allowed'],
    [404, 'application_not_found'],
    [422, 'validation_failed'],
  ])('a follower ends with an error that another attempt would not change: %s %s', async (status, code) => {
    const { store, ended } = followed(isOrdered, 0);
    await seconds(1);
    store.refusal = new ChatSystemError({ status, code, detail: '' });
    store.breakConnections();
    await seconds(60);
    expect(await ended).toBe(store.refusal);
  });

  test('a follower ends when its signal aborts, and leaves no timer', async () => {
    const { ended, ending } = followed(isOrdered, 0);
    await seconds(1);
    ending.abort('enough');
    expect(await ended).toBe('enough');
    await seconds(60);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a follower in the long run', () => {
  test('a follower that is up to date reads nothing if the connection reports versions, and little if it does not', async () => {
    const [telling, silent] = [followed(true, 0), followed(false, 0)];
    await seconds(3_600);
    expect(telling.store.reads).toBe(0);
    // Once connected, after half a minute, after another minute, and so on up to every five minutes.
    expect(silent.store.reads).toBeLessThan(20);
    expect(silent.store.reads).toBeGreaterThan(10);
  });

  test('a follower with a renewable token continues until several new tokens were refused in a row', async () => {
    const { store, statuses, ended } = followed(true, 0);
    store.isRenewable = true;
    await seconds(1);
    const refusal = new ChatSystemError({ status: 401, code: 'access_token_expired', detail: '' });
    store.refusal = refusal;
    store.breakConnections();
    await seconds(2);
    store.refusal = undefined;
    await seconds(60);
    expect(statuses).toEqual([true, 'no_response', 'access_token_expired', true]);
    store.refusal = refusal;
    store.breakConnections();
    await seconds(60);
    expect(await ended).toBe(refusal);
  });

  test.each([
    ['too_slow', false],
    ['stopping', false],
    ['access_token_invalid', true],
  ])(
    'a follower pauses between two connections when its streams bring nothing but their end: %s',
    async (code, ends) => {
      let connects = 0;
      const end: WireEvent = { type: 'end', code };
      const connect = async (): Promise<Connection> => {
        if (++connects > 100) throw new Error('The follower connects without end.');
        return { isOrdered: true, silenceMs: 60_000, next: async () => end, close: () => {} };
      };
      const read = async () => ({ change: 0, data: [], more: false });
      const source = { read, connect, renews: () => code.startsWith('access_token_') };
      const ending = new AbortController();
      const follower = new Follower(source, () => {}, ending.signal);
      const followed = follower.follow(new Map([[chat, 0]])).next();
      const ended = followed.catch((error: unknown) => error);
      await seconds(300);
      ending.abort('enough');
      if (ends) expect(await ended).toMatchObject({ code });
      else expect(await ended).toBe('enough');
      expect(connects).toBeGreaterThan(2);
      expect(connects).toBeLessThan(20);
    },
  );

  test('a follower pauses before it reads the same page again, whatever the server says of the next one', async () => {
    let reads = 0;
    const read = async () => {
      if (++reads > 100) throw new Error('The follower reads without end.');
      return { change: 5, data: [], more: true };
    };
    const connect = async () => ({ isOrdered: false, silenceMs: 60_000, next: async () => undefined, close: () => {} });
    const ending = new AbortController();
    const follower = new Follower({ read, connect, renews: () => false }, () => {}, ending.signal);
    const ended = follower
      .follow(new Map([[chat, 5]]))
      .next()
      .catch((error: unknown) => error);
    await seconds(300);
    ending.abort('enough');
    expect(await ended).toBe('enough');
    expect(reads).toBeGreaterThan(2);
  });
});
