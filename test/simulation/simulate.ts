import { createHash } from 'node:crypto';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { random } from './chance.ts';
import { check } from './check.ts';
import { Clients } from './clients.ts';
import { leap, restart, sleep, step } from './determinism.ts';
import { type FinalState, finalState, leftBelow } from './final-state.ts';
import { accepted, isWrite, type Operation } from './history.ts';
import { LiveFollowers } from './live-followers.ts';
import { Pollers } from './pollers.ts';
import { World } from './world.ts';

/** The result of one seed. It is plain data, because it is sent between threads. */
export interface Outcome {
  seed: number;
  /** The promises that were broken, a sentence each. */
  violations: string[];
  requests: number;
  /** Number of writes with a successful response. */
  accepted: number;
  /** Number of numbers that reconcile found void. */
  voids: number;
  /** The history, one line for each request. */
  story: string[];
  /** A digest of the history and the final state, which is the same in each run of the seed. */
  digest: string;
}

// Without this, each failure would log a line.
setLogLevel('silent');

const minute = 60_000;
const day = 24 * 60 * minute;
/** Longer than the retention period of a queue. */
const longMs = 15 * day;
const patienceMs = 4 * 60 * minute;

const poisons = ['not JSON', '{"version":1,"writes":[]}', '{"version":1,"writes":[{"kind":"message"}]}'];

/** Runs the whole system for one seed, and checks its history at the end. */
export async function simulate(seed: number): Promise<Outcome> {
  restart(seed);
  const world = await World.open();
  const clients = new Clients(world);
  const { history } = clients;
  let ended: { state?: FinalState; violations: string[] } | undefined;
  run(world, clients).then(
    ({ state, poison, late }) => {
      const violations = check(history, state, poison);
      ended = { state, violations: late ? ['the backlog did not drain', ...violations] : violations };
    },
    (error) => {
      ended = { violations: [`the simulation failed: ${error instanceof Error ? error.stack : error}`] };
    },
  );
  while (!ended) await step();
  const { violations, state } = ended;
  return {
    seed,
    violations,
    requests: history.reduce((sum, { attempts }) => sum + attempts.length, 0),
    accepted: history.filter((operation) => isWrite(operation) && accepted(operation)).length,
    voids: state?.later.filter(({ kind }) => kind === 'void').length ?? 0,
    story: history.flatMap(lines),
    digest: createHash('sha256')
      .update(JSON.stringify([history, state]))
      .digest('hex')
      .slice(0, 16),
  };
}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 23);

const lines = ({ task, id, token, chat, number, keyed, attempts }: Operation): string[] =>
  attempts.map(({ startedAt, endedAt, status, json }) => {
    const about = [token, chat, number].filter((part) => part !== undefined).join('/');
    const numbers = Array.isArray(json.data) ? json.data.map((each) => each.number).join() : (json.number ?? '');
    return `${clock(startedAt)} – ${clock(endedAt)} ${task} ${id} ${about}${keyed ? ' with a key' : ''}: ${status} ${json.code ?? numbers}`;
  });

async function run(world: World, clients: Clients) {
  const { store, search } = world.queues;
  const poison: string[] = [];
  world.start();
  const poisoned = (async () => {
    for (const body of poisons) {
      await sleep(random.between(0, 3 * minute));
      if (!random.chance(0.3)) continue;
      poison.push(body);
      (random.chance(0.5) ? store : search).send(body);
    }
  })();
  const pollers = new Pollers(world, clients);
  const followers = new LiveFollowers(world, clients);
  const following = Promise.all([pollers.run(), followers.run()]);
  await clients.run(random.between(2, 4), random.between(6, 14));
  await poisoned;
  // Some outages end while no client sends requests, and a few are long.
  if (random.chance(0.04)) await sleep(100 * minute);
  world.faults.end();

  const deadline = Date.now() + patienceMs;
  // Calls that timed out may take effect for two minutes, and each schedule runs again.
  // An odd duration, so that it does not coincide with the schedules.
  do await sleep(3.2 * minute);
  while (!world.isQuiet() && Date.now() < deadline);
  pollers.stop();
  followers.stop();
  await following;
  for (let times = 2; times > 0 && world.isQuiet(); times--) await followers.followPromptly(() => clients.send());
  do await sleep(1.2 * minute);
  while (!world.isQuiet() && Date.now() < deadline);
  const late = !world.isQuiet();
  world.stop();
  await sleep(2 * minute);

  const deadLetters = world.takeDeadLetters();
  const below = leftBelow(world);
  const differences = await world.reconcile();
  leap(longMs);
  await world.purge();
  const later = await world.reconcile();
  await world.rollUp();
  const left = await world.reconcile();
  const followed = [...(await pollers.end()), ...(await followers.end())];
  return {
    state: finalState(world, { deadLetters, leftBelow: below, differences, later, left, followed }),
    poison,
    late,
  };
}
