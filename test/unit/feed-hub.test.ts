import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { positionsIn } from '../../lib/api/event-ids.ts';
import type { EventClient } from '../../lib/api/feed.ts';
import type { Parent } from '../../lib/model/keys.ts';
import { Hub } from '../../local/feed/hub.ts';
import { PreparedStep } from '../../local/feed/prepared-step.ts';
import type { FeedReads, Missed } from '../../local/feed/reads.ts';
import { EventParser } from '../support/client/event-stream.ts';

afterEach(() => void vi.useRealTimers());

const token = 'the application';
/** Chat 0 is the list of chats. */
const chats = [0, 1, 2];

interface Row {
  version: number;
  value: number;
}

/** What the store has of one chat: its rows by number, each stamped with the version that changed it last. */
class Versioned {
  version = 0;
  readonly rows = new Map<number, Row>();

  /** Commits a version that changes these rows. */
  commit(numbers: number[], value: number): number {
    this.version++;
    for (const number of numbers) this.rows.set(number, { version: this.version, value });
    return this.version;
  }

  /** @param padding makes each step larger by this many bytes */
  steps(chat: number, after: number, upTo: number, padding: number): PreparedStep[] {
    const rows = [...this.rows].filter(([, { version }]) => version > after && version <= upTo);
    const byVersion = Map.groupBy(rows, ([, { version }]) => version);
    return [...byVersion]
      .sort(([a], [b]) => a - b)
      .map(([version, of]) => {
        const data = of.map(([number, { value }]) => ({ number, value }));
        const step = { chat_number: chat, change: version, data, padding: 'x'.repeat(padding) };
        return new PreparedStep(chat, version, JSON.stringify(step));
      });
  }

  state(): Record<string, number> {
    return Object.fromEntries([...this.rows].map(([number, { value }]) => [number, value]));
  }
}

/** A client that reads when the test says so, and reconnects with the last id that it has read. */
class ModelClient implements EventClient {
  /** What was sent and not read yet. */
  #sent: Buffer[] = [];
  #listener: (() => void) | undefined;
  #closed: (() => void) | undefined;
  readonly parser = new EventParser();
  isOpen = true;
  wasTooSlow = false;
  /** Everything that was read over all connections, checked by `read`. */
  readonly states: Map<number, Record<string, number>>;
  readonly positions: Map<number, number>;

  readonly #isSlow: boolean;

  /** @param isSlow whether the system takes only what the client reads */
  constructor(isSlow: boolean, before?: ModelClient) {
    this.#isSlow = isSlow;
    this.states = before?.states ?? new Map(chats.map((chat) => [chat, {}]));
    this.positions = before?.positions ?? new Map();
    this.parser.lastId = before?.parser.lastId;
  }

  get unsent(): number {
    return !this.#isSlow ? 0 : this.#sent.reduce((bytes, { length }) => bytes + length, 0);
  }
  send(bytes: Buffer): void {
    if (this.isOpen) this.#sent.push(bytes);
  }
  onSent(listener: () => void): void {
    if (this.unsent === 0) queueMicrotask(listener);
    else this.#listener = listener;
  }
  end(bytes: Buffer): void {
    this.send(bytes);
    this.isOpen = false;
  }
  onClosed(listener: () => void): void {
    this.#closed = listener;
  }

  /** Reads everything that was sent, and requires that it is what comes next. */
  read(): void {
    const sent = this.#sent;
    this.#sent = [];
    for (const event of sent.flatMap((bytes) => this.parser.parse(bytes))) {
      if (event.type === 'end') {
        expect(event.data).toEqual({ code: 'too_slow' });
        this.wasTooSlow = true;
        continue;
      }
      expect(event.type).toBe('changes');
      const {
        chat_number: chat,
        change,
        data,
      } = event.data as {
        chat_number: number;
        change: number;
        data: { number: number; value: number }[];
      };
      expect(change, 'the versions of a chat come in order, and none comes twice').toBeGreaterThan(
        this.positions.get(chat) ?? 0,
      );
      expect(positionsIn(event.id ?? '')?.get(chat)).toBe(change);
      this.positions.set(chat, change);
      for (const { number, value } of data) Object.assign(this.states.get(chat) as object, { [number]: value });
    }
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.();
  }

  /** Loses what was not read. */
  drop(): void {
    this.isOpen = false;
    this.#sent = [];
    this.#closed?.();
  }
}

type Action =
  | { do: 'commit'; chat: number; numbers: number[]; told: 'at once' | 'later' | 'never' }
  | { do: 'roll back'; chat: number }
  | { do: 'read' | 'drop'; follower: number };

const number = fc.integer({ min: 1, max: 4 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      chat: fc.constantFrom(...chats),
      numbers: fc.uniqueArray(number, { minLength: 1, maxLength: 3 }),
      told: fc.constantFrom('at once' as const, 'at once' as const, 'later' as const, 'never' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('roll back' as const), chat: fc.constantFrom(...chats) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('read' as const, 'read' as const, 'drop' as const),
      follower: fc.integer({ min: 0, max: 3 }),
    }),
  },
);

/** What each follower follows. */
const followings = fc.array(fc.uniqueArray(fc.constantFrom(...chats), { minLength: 1 }), {
  minLength: 2,
  maxLength: 4,
});

/**
 * Runs the actions on a hub with followers, in an order that the scheduler chooses. Fails unless each follower ends
 * with what the store has.
 *
 * @param options.isSlow whether clients get only what they read
 * @param options.part steps that are read at a time when a follower catches up
 * @param options.padding size of each step
 * @returns how often a client was too slow
 */
async function run(
  s: fc.Scheduler,
  actions: Action[],
  following: number[][],
  { isSlow, part, padding }: { isSlow: boolean; part: number; padding: number },
): Promise<number> {
  const store = new Map(chats.map((chat) => [chat, new Versioned()]));
  const of = ({ chat = 0 }: Parent) => store.get(chat) as Versioned;
  /** Runs at some time, and its result arrives at some later time. */
  const sometime = <Result>(label: string, work: () => Result): Promise<Result> =>
    s.schedule(Promise.resolve(), label).then(() => s.schedule(Promise.resolve(work()), `${label}'s result`));
  const reads: FeedReads = {
    version: (parent) => sometime('version', () => of(parent).version),
    steps: (parent, after, upTo) => sometime('steps', () => of(parent).steps(parent.chat ?? 0, after, upTo, padding)),
    missed: (parent, after) =>
      sometime('missed', (): Missed | undefined => {
        const { version } = of(parent);
        const steps = of(parent).steps(parent.chat ?? 0, after, version, padding);
        const cut = steps[part];
        return cut ? { steps: steps.slice(0, part), upTo: cut.version - 1 } : { steps, upTo: version };
      }),
    generation: async () => 0,
    deletedChats: async () => [],
  };
  const hub = new Hub(reads, {
    deliveriesAtOnce: 1,
    turnMs: 0,
    nextTurn: () => s.schedule(Promise.resolve(), 'turn'),
  });
  const announce = (chat: number, version: number) => hub.announce([{ token, ...(chat !== 0 && { chat }), version }]);

  const clients = following.map(() => new ModelClient(isSlow));
  const connect = (i: number, before?: ModelClient) => {
    const client = new ModelClient(isSlow, before);
    clients[i] = client;
    const positions = client.parser.lastId === undefined ? undefined : positionsIn(client.parser.lastId);
    const followed = following[i] as number[];
    const after = (chat: number) => positions?.get(chat) ?? 0;
    void hub.follow(
      {
        token,
        followed: {
          chats: new Map(followed.filter((chat) => chat !== 0).map((chat) => [chat, after(chat)])),
          ...(followed.includes(0) && { application: { after: after(0) } }),
        },
        access: undefined,
        isSelf: false,
      },
      client,
    );
  };

  let slow = 0;
  const read = (i: number) => {
    const client = clients[i] as ModelClient;
    client.read();
    if (!client.wasTooSlow) return;
    slow++;
    connect(i, client);
  };

  s.scheduleSequence([
    ...following.map((_, i) => ({ label: `follow ${i}`, builder: async () => connect(i) })),
    ...actions.map((one, value) => ({
      label: JSON.stringify(one),
      builder: async () => {
        if (one.do === 'commit') {
          const version = (store.get(one.chat) as Versioned).commit(one.numbers, value);
          if (one.told === 'at once') announce(one.chat, version);
          if (one.told === 'later')
            void s.schedule(Promise.resolve(), 'announcement').then(() => announce(one.chat, version));
        } else if (one.do === 'roll back') announce(one.chat, (store.get(one.chat) as Versioned).version + 1);
        else {
          const i = one.follower % clients.length;
          const client = clients[i] as ModelClient;
          if (one.do === 'read') read(i);
          else {
            client.drop();
            connect(i, client);
          }
        }
      },
    })),
  ]);
  await s.waitIdle();
  // In the end each chat changes several times in a row, and all is read.
  for (const value of [-1, -2, -3])
    for (const chat of chats) {
      announce(chat, (store.get(chat) as Versioned).commit([9], value));
      if (s.count() > 0) await s.waitNext(1);
    }
  const isComplete = () =>
    clients.every((client, i) =>
      following[i]?.every((chat) => client.positions.get(chat) === store.get(chat)?.version),
    );
  for (let round = 0; round < 100 && !isComplete(); round++) {
    await s.waitIdle();
    for (const i of clients.keys()) read(i);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [i, client] of clients.entries())
    for (const chat of following[i] as number[])
      expect(client.states.get(chat), `what follower ${i} has of chat ${chat}`).toEqual(store.get(chat)?.state());
  for (const client of clients) client.drop();
  return slow;
}

const actions = fc.array(action, { minLength: 5, maxLength: 40 });
const part = fc.integer({ min: 1, max: 3 });

test('a follower has in the end what the store has, whatever is announced late, early, twice or never, and whenever it joins', async () => {
  const property = fc.asyncProperty(fc.scheduler(), actions, followings, part, async (s, does, following, size) => {
    await run(s, does, following, { isSlow: false, part: size, padding: 0 });
  });
  await fc.assert(property, { numRuns: 200 });
}, 60_000);

test('a follower that reads slowly catches up, and one that is ended as too slow continues after its last event', async () => {
  let slow = 0;
  const property = fc.asyncProperty(fc.scheduler(), actions, followings, part, async (s, does, following, size) => {
    slow += await run(s, does, following, { isSlow: true, part: size, padding: 150_000 });
  });
  await fc.assert(property, { numRuns: 20 });
  expect(slow).toBeGreaterThan(0);
}, 60_000);

test('a stream ends at the moment when its access token expires, and at once if that was before', async () => {
  const reads: FeedReads = {
    version: async () => 0,
    steps: async () => [],
    missed: async () => undefined,
    generation: async () => 7,
    deletedChats: async () => [],
  };
  const hub = new Hub(reads);
  const endOf = async (access: { generation: number; expiresAt: number }) => {
    const client = new ModelClient(false);
    const sent: string[] = [];
    client.send = (bytes) => void sent.push(bytes.toString());
    const ended = new Promise<number>((resolve) => {
      client.end = (bytes) => {
        client.send(bytes);
        resolve(Date.now());
      };
    });
    const followed = { chats: new Map([[1, undefined]]) };
    void hub.follow({ token, followed, access, isSelf: true }, client);
    return { at: await ended, last: sent.at(-1) };
  };
  const expiresAt = Date.now() + 200;
  const end = await endOf({ generation: 7, expiresAt });
  expect(end.last).toBe('event: end\ndata: {"code":"access_token_expired"}\n\n');
  expect(end.at).toBeGreaterThanOrEqual(expiresAt - 5);
  expect((await endOf({ generation: 7, expiresAt: 0 })).last).toContain('access_token_expired');
  expect((await endOf({ generation: 6, expiresAt: Date.now() + 60_000 })).last).toContain('access_token_invalid');
});

test('nothing is kept of a stream whose chats were all deleted before it began', async () => {
  vi.useFakeTimers();
  const reads: FeedReads = {
    version: async () => 3,
    steps: async () => [],
    missed: async () => ({ steps: [], upTo: 3 }),
    generation: async () => 0,
    deletedChats: async (_, chats) => chats,
  };
  const hub = new Hub(reads);
  const client = new ModelClient(false);
  const followed = { chats: new Map([1, 2].map((chat) => [chat, 0])) };
  await hub.follow({ token, followed, access: { generation: 0, expiresAt: Date.now() }, isSelf: true }, client);
  expect(client.isOpen).toBe(false);
  expect(hub.subscriptions).toBe(0);
  // A timer that is left would keep the closed stream in memory.
  expect(vi.getTimerCount()).toBe(0);
});

test('a stream that begins after the server was told to stop ends at once with "stopping"', async () => {
  const hub = new Hub({} as FeedReads);
  hub.stop();
  const client = new ModelClient(false);
  await hub.follow({ token, followed: { chats: new Map([[1, 0]]) }, access: undefined, isSelf: false }, client);
  expect(client.isOpen).toBe(false);
});
