import { Command, InvalidArgumentError } from 'commander';
import { Problem } from '../../lib/api/problems.ts';
import { DynamodbLedger } from '../../lib/ledger/dynamodb.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb-table.ts';
import { ParkedWrites } from '../../lib/ledger/parked-writes.ts';
import { random } from './chance.ts';
import { restart, sleep, tick } from './determinism.ts';
import { SimulatedTable } from './dynamodb.ts';
import type { Caller } from './process.ts';

// More keyed creates than one DynamoDB item takes, on the simulated clock: what is accepted, second by second.

const wholeNumber = (text: string): number => {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};
const { seconds, rate, dead } = new Command('node test/simulation/hot-chat.ts')
  .description('Floods one chat with keyed creates over a simulated DynamoDB that keeps its limits.')
  .option('--seconds <count>', 'how long the flood lasts', wholeNumber, 60)
  .option('--rate <count>', 'keyed creates a second that are offered to one chat', wholeNumber, 2_000)
  .option('--dead <count>', 'keyed requests that die in the chat after the flood', wholeNumber, 10_000)
  .parse()
  .opts<{ seconds: number; rate: number; dead: number }>();

/** Keyless creates a second that are offered beside the flood, to another chat and to the same one. */
const besideRate = 200;
/** Creates a second that are offered to see how fast the chat is. */
const probeRate = 900;
const probeSeconds = 3;
const deadPerSecond = 400;

restart(1);
const simulated = new SimulatedTable();
/** Every call takes 4 to 10 ms. Behind `deathAt` calls the request is dead: what it sent off takes effect. */
const callerOf = (deathAt = Number.POSITIVE_INFINITY): Caller => {
  let calls = 0;
  return {
    task: 'flood',
    call: async (_part, effect) => {
      if (++calls > deathAt) return await new Promise(() => undefined);
      await sleep(random.between(2, 5));
      const result = await effect();
      await sleep(random.between(2, 5));
      return calls >= deathAt ? await new Promise(() => undefined) : result;
    },
  };
};
const outbox = { send: () => sleep(random.between(4, 10)) };
const failedUpkeep: string[] = [];
const ledgerOf = (caller: Caller): DynamodbLedger => {
  const table = new DynamodbTable(simulated.client(caller), 'ledger');
  const onFailedUpkeep = (error: unknown) =>
    failedUpkeep.push(error instanceof Problem ? error.code : String((error as Error).message));
  return new DynamodbLedger(table, new ParkedWrites(table, outbox), Date.now, onFailedUpkeep);
};
const ledger = ledgerOf(callerOf());

/** Runs the work on the simulated clock. */
async function run<Result>(work: Promise<Result>): Promise<Result> {
  let ended = false;
  const end = work.finally(() => {
    ended = true;
  });
  while (!ended) await tick();
  return await end;
}

const { token } = await run(ledger.createApplication('flooded'));
for (const _ of [1, 2]) await run(ledger.createChat(token, null));

/** What came of the requests that were offered in one second, by outcome. */
type Second = Record<string, number>;
const given = new Set<string>();
const twice: string[] = [];
let keys = 0;

async function create(second: Second, name: string, chat: number, keyed: boolean, through = ledger): Promise<void> {
  const key = keyed ? { id: `key-${++keys}`.padEnd(43, '.'), payload: 'payload' } : undefined;
  const outcome = await through.createMessages(token, chat, ['body'], key).then(
    ({ first }) => {
      const place = `${chat}/${first}`;
      if (given.has(place)) twice.push(place);
      given.add(place);
      return 'accepted';
    },
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );
  second[`${name} ${outcome}`] = (second[`${name} ${outcome}`] ?? 0) + 1;
}

/** Offers each kind of request at its rate. Returns what came of each second's. */
async function offer(
  lastsSeconds: number,
  kinds: { perSecond: number; request: (second: Second) => Promise<void> | undefined }[],
): Promise<Second[]> {
  const all = Array.from({ length: lastsSeconds }, (): Second => ({}));
  const pending: Promise<void>[] = [];
  const due = kinds.map(() => 0);
  for (let ms = 0; ms < lastsSeconds * 1_000; ms++) {
    for (const [i, { perSecond, request }] of kinds.entries())
      for (due[i] = (due[i] ?? 0) + perSecond / 1_000; (due[i] ?? 0) >= 1; due[i] = (due[i] ?? 0) - 1) {
        const sent = request(all[Math.floor(ms / 1_000)] as Second);
        if (sent) pending.push(sent);
      }
    await tick();
  }
  await run(Promise.all(pending));
  return all;
}
const show = (name: string, all: Second[]) => {
  for (const [i, second] of all.entries())
    console.log(JSON.stringify({ phase: name, second: i + 1, ...second, units: simulated.unitsOf(`${token}/1`) }));
};
const probe = (keyed: boolean) => [
  { perSecond: probeRate, request: (second: Second) => create(second, keyed ? 'keyed' : 'keyless', 1, keyed) },
];

show(
  'flood',
  await offer(seconds, [
    { perSecond: rate, request: (second) => create(second, 'keyed', 1, true) },
    { perSecond: besideRate, request: (second) => create(second, 'beside', 2, false) },
    { perSecond: besideRate, request: (second) => create(second, 'keyless', 1, false) },
  ]),
);
show('after the flood', await offer(probeSeconds, probe(false)));
await offer(dead / deadPerSecond, [
  {
    perSecond: deadPerSecond,
    request: (second) => {
      void create(second, 'dead', 1, true, ledgerOf(callerOf(random.between(1, 4))));
      return undefined;
    },
  },
]);
show('after the dead', await offer(probeSeconds, probe(true)));
console.log(
  JSON.stringify({ twice: twice.length, invalid: simulated.invalid.length, failedUpkeep: failedUpkeep.length }),
);
