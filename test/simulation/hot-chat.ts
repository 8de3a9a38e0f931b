import { Command, InvalidArgumentError } from 'commander';
import { DynamodbLedger } from '../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { chatKey } from '../../lib/ledger/dynamodb/keys.ts';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { limits } from '../../lib/limits.ts';
import { DomainError } from '../../lib/model/errors.ts';
import { chatNamed, contents } from '../support/histories/writes.ts';
import { random } from './chance.ts';
import { leap, restart, sleep, tick, trueTime } from './determinism.ts';
import { SimulatedTable } from './dynamodb.ts';
import { writeUnitsOf } from './dynamodb-limits.ts';
import type { Caller } from './process.ts';

// Measures what creates with an Idempotency-Key cost, and offers one chat more of them than one DynamoDB item accepts, on
// the simulated clock. Prints a line of JSON for each second: the requests by outcome, and the write units that a write of
// the chat's item takes.

const wholeNumber = (text: string): number => {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};
const { seconds, rate, dead, callMs, slow } = new Command('node test/simulation/hot-chat.ts')
  .description('Floods one chat with keyed creates, over a simulated DynamoDB with its limits.')
  .option('--seconds <count>', 'how long the flood lasts', wholeNumber, 60)
  .option('--rate <count>', 'keyed creates a second that are offered', wholeNumber, 2_000)
  .option(
    '--dead <count>',
    'keyed requests that take a number in the chat and then die, after the flood',
    wholeNumber,
    10_000,
  )
  .option('--call-ms <milliseconds>', 'the longest time of a call; the shortest is 40 % of it', wholeNumber, 10)
  .option('--slow <percent>', 'how many of the calls take ten times as long', wholeNumber, 0)
  .parse()
  .opts<{ seconds: number; rate: number; dead: number; callMs: number; slow: number }>();

/** Creates without a key that are offered every second beside the flood, in the same chat and in another. */
const keylessRate = 200;
/** Creates that are offered every second before and after the flood, to see how fast the chat is. */
const probeRate = 900;
const probeSeconds = 3;
const deadPerSecond = 1_000;
/** Dead requests that are repeated, one after the other. */
const repeated = 500;
const hotChat = 1;
const otherChat = 2;
const quietChat = 3;
/** Creates whose units are measured, one after the other. */
const measured = 100;

/** A request with a key that died. */
interface Dead {
  key: string;
  /** The task of the request, which is noted with the number that it took. */
  task: string;
}

restart(1);
const simulated = new SimulatedTable(trueTime);
let requests = 0;
/**
 * Returns the caller of a new request.
 *
 * @param onTaken called when the request has taken a number. Then the request dies: none of its calls returns any more
 */
const newCaller = (onTaken?: () => void): Caller => {
  const task = `request ${++requests}`;
  let isDead = false;
  return {
    task,
    call: async (_part, effect) => {
      const factor = random.chance(slow / 100) ? 10 : 1;
      const travel = () => sleep(factor * random.between(0.2 * callMs, 0.5 * callMs));
      await travel();
      if (isDead) return await new Promise(() => undefined);
      const result = await effect();
      if (onTaken && !isDead && simulated.taken.at(-1)?.task === task) {
        isDead = true;
        onTaken();
      }
      await travel();
      return isDead ? await new Promise(() => undefined) : result;
    },
  };
};
const outbox = { send: () => sleep(random.between(0.4 * callMs, callMs)) };
const ledgers = new WeakMap<Caller, DynamodbLedger>();
const ledgerOf = (caller: Caller): DynamodbLedger => {
  const table = new DynamodbTable(simulated.client(caller), 'ledger');
  const ledger = ledgers.get(caller) ?? new DynamodbLedger(table, new ParkedWrites(table, outbox));
  ledgers.set(caller, ledger);
  return ledger;
};

/** Runs the work on the simulated clock. */
async function run<Result>(work: Promise<Result>): Promise<Result> {
  let ended = false;
  const end = work.finally(() => {
    ended = true;
  });
  while (!ended) await tick();
  return await end;
}

const { token } = await run(ledgerOf(newCaller()).createApplication('flooded'));
for (const _ of [hotChat, otherChat, quietChat]) await run(ledgerOf(newCaller()).createChat(token, chatNamed(null)));

/** The number of requests by outcome. */
type Second = Record<string, number>;
/** The request that each number was returned to: its key or, without a key, a name for it. */
const owners = new Map<string, string>();
let creates = 0;
const wrong: string[] = [];
let keys = 0;
const newKey = () => `key ${++keys}`.padEnd(43, '.');

async function create(chat: number, caller: Caller, key?: string): Promise<number | string> {
  try {
    const { first } = await ledgerOf(caller).createMessages({ token, chat }, contents(['body']), {
      key: key === undefined ? undefined : { id: key, payload: 'payload' },
    });
    const place = `${chat}/${first}`;
    const owner = key ?? `create ${++creates}`;
    if ((owners.get(place) ?? owner) !== owner)
      wrong.push(`${place} was given to ${owners.get(place)} and to ${owner}`);
    owners.set(place, owner);
    return first;
  } catch (error) {
    return error instanceof DomainError ? error.name : String(error);
  }
}

const counted =
  (name: string, request: () => Promise<number | string>) =>
  async (second: Second): Promise<void> => {
    const outcome = await request();
    const what = `${name} ${typeof outcome === 'number' ? 'accepted' : outcome}`;
    second[what] = (second[what] ?? 0) + 1;
  };
const idle: Caller[] = [];
/** Does the work on a function instance. Each serves one request at a time, and keeps what it has read for the next. */
async function onInstance<Result>(work: (caller: Caller) => Promise<Result>): Promise<Result> {
  const caller = idle.pop() ?? newCaller();
  try {
    return await work(caller);
  } finally {
    idle.push(caller);
  }
}
const keyed = counted('keyed', () => onInstance((caller) => create(hotChat, caller, newKey())));
const keyless = counted('keyless', () => onInstance((caller) => create(hotChat, caller)));
const beside = counted('beside', () => onInstance((caller) => create(otherChat, caller)));

/** Offers each kind of request at its rate, and prints the outcomes of each second's requests. */
async function offer(
  phase: string,
  lastsSeconds: number,
  kinds: { perSecond: number; request: (second: Second) => Promise<void> }[],
): Promise<void> {
  const all = Array.from({ length: lastsSeconds }, (): Second => ({}));
  const units: number[] = [];
  const pending: Promise<void>[] = [];
  const due = kinds.map(() => 0);
  for (let ms = 0; ms < lastsSeconds * 1_000; ms++) {
    for (const [i, { perSecond, request }] of kinds.entries())
      for (due[i] = (due[i] ?? 0) + perSecond / 1_000; (due[i] ?? 0) >= 1; due[i] = (due[i] ?? 0) - 1)
        pending.push(request(all[Math.floor(ms / 1_000)] as Second));
    await tick();
    if (ms % 1_000 === 999) units.push(unitsOfChat());
  }
  await run(Promise.all(pending));
  for (const [i, second] of all.entries())
    console.log(JSON.stringify({ phase, second: i + 1, ...second, units: units[i] }));
}

function unitsOfChat(): number {
  const { pk, sk } = chatKey(token, hotChat);
  const [item] = simulated.itemsIn(pk).filter((one) => one.pk?.S === pk && one.sk?.S === sk);
  return writeUnitsOf(item, item);
}

/** Sends keyed requests that die when they have taken a number, until `count` have died. Returns the dead requests. */
async function letDie(count: number): Promise<Dead[]> {
  const all: Dead[] = [];
  while (all.length < count) {
    for (let i = 0; i < deadPerSecond / 1_000; i++) {
      const key = newKey();
      const caller = newCaller(() => all.push({ key, task: caller.task }));
      void create(hotChat, caller, key);
    }
    await tick();
  }
  await run(sleep(1_000));
  return all;
}

/** Repeats dead requests. Each must be returned its first number. */
async function repeat(all: Dead[]): Promise<void> {
  const first = new Map(simulated.taken.toReversed().map((taken) => [taken.task, taken.first]));
  for (const { key, task } of all) {
    const returned = await run(create(hotChat, newCaller(), key));
    if (returned !== first.get(task)) wrong.push(`${key} had taken ${first.get(task)} and is returned ${returned}`);
  }
}

/** Prints the mean units of a keyed create in a chat with no other requests. */
async function measure(): Promise<void> {
  const { writeUnits, readUnits } = simulated;
  // A function instance in use has read the application already.
  const caller = newCaller();
  await run(create(quietChat, caller));
  const before = { write: writeUnits.used, read: readUnits.used };
  for (let i = 0; i < measured; i++) await run(create(quietChat, caller, newKey()));
  const mean = (used: number, from: number) => Number(((used - from) / measured).toFixed(2));
  const units = { write: mean(writeUnits.used, before.write), read: mean(readUnits.used, before.read) };
  console.log(JSON.stringify({ phase: 'a keyed create in a quiet chat', units }));
}

const probes = (request: (second: Second) => Promise<void>) => [{ perSecond: probeRate, request }];

await measure();
await offer('before', probeSeconds, probes(keyless));
await offer('flood', seconds, [
  { perSecond: rate, request: keyed },
  { perSecond: keylessRate, request: keyless },
  { perSecond: keylessRate, request: beside },
]);
await offer('after the flood', probeSeconds, probes(keyless));
const died = await letDie(dead);
await offer('after the dead', probeSeconds, probes(keyed));
leap(limits.idempotencyLeaseMs);
await repeat(died.slice(0, repeated));
console.log(JSON.stringify({ phase: 'end', died: died.length, wrong, invalid: simulated.invalid }));
