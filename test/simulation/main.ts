import { availableParallelism } from 'node:os';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { onLostReader } from '../../tools/cli/output.ts';
import { mutations } from './mutations.ts';
import type { Outcome } from './simulate.ts';
import { range, simulateAll } from './threads.ts';

/** Interval of progress lines when the output is not a terminal. */
const lineEveryMs = 10_000;
/** Number of failing seeds after which a run stops, because more would show the same fault. A planted bug is known. */
const mostFailures = { real: 10, planted: 1 };
/** Number of seeds within which every planted bug is found; most are found within fifty. */
const seedsPerMutation = 1_500;

const wholeNumber = (text: string): number => {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

onLostReader(() => false);

const command = new Command('npm run simulate --')
  .description(
    'Runs the functions of the AWS engine over simulated services, with faults drawn from a seed, and checks for each seed that nothing acknowledged is lost. A seed replays exactly.',
  )
  .option('--seeds <count>', 'how many seeds to run', wholeNumber, 1_000)
  .option('--from <seed>', 'the first of them', wholeNumber, 1)
  .option('--seed <seed>', 'replay this one, and show its history', wholeNumber)
  .option('--mutations', 'plant one bug after another, and see that each is found')
  .option('--mutation <number>', 'plant this bug of test/simulation/mutations.ts', wholeNumber)
  .option('--threads <count>', 'how many at a time', wholeNumber, availableParallelism())
  .parse();
const options = command.opts<{
  seeds: number;
  from: number;
  seed?: number;
  mutations?: true;
  mutation?: number;
  threads: number;
}>();
const mutation = options.mutation === undefined ? undefined : options.mutation - 1;
if (mutation !== undefined && !mutations[mutation]) command.error(`error: there are ${mutations.length} mutations`);

if (options.seed !== undefined) await replay(options.seed);
else if (options.mutations) await findMutations(options.from, options.threads);
else await runSeeds(options.from, options.from + options.seeds - 1, options.threads);

async function runSeeds(first: number, last: number, threads: number): Promise<void> {
  const startedAt = performance.now();
  const show = progress(last - first + 1);
  const failures: Outcome[] = [];
  let [seeds, requests, accepted, voids] = [0, 0, 0, 0];
  const onOutcome = (outcome: Outcome) => {
    seeds++;
    show.update(seeds);
    requests += outcome.requests;
    accepted += outcome.accepted;
    voids += outcome.voids;
    if (outcome.violations.length > 0) failures.push(outcome);
    return failures.length < mostFailures[mutation === undefined ? 'real' : 'planted'];
  };
  await simulateAll(range(first, last), threads, onOutcome, mutation);
  show.stop();
  for (const { seed, violations } of failures) tell(seed, violations);
  const took = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(
    `${seeds} seeds from ${first}, ${requests} requests, ${accepted} accepted writes, ${voids} void numbers: ${failures.length} seeds broke a promise (${took} s)`,
  );
  if (failures.length > 0) process.exitCode = 1;
}

async function replay(seed: number): Promise<void> {
  const onOutcome = ({ story, digest, violations }: Outcome) => {
    for (const line of story) console.log(line);
    console.log(`digest ${digest}`);
    if (violations.length > 0) {
      tell(seed, violations);
      process.exitCode = 1;
    } else console.log(`Seed ${seed} breaks no promise.`);
    return true;
  };
  await simulateAll(range(seed, seed), 1, onOutcome, mutation);
}

async function findMutations(first: number, threads: number): Promise<void> {
  let missed = 0;
  for (const [i, { name }] of mutations.entries()) {
    const found = await foundBy(i, first, threads);
    if (!found) missed++;
    const what = found ? `found by seed ${found.seed}: ${found.violations[0]}` : 'NOT FOUND';
    console.log(`${String(i + 1).padStart(2)} ${name}\n   ${what}`);
  }
  console.log(`${mutations.length - missed} of ${mutations.length} planted bugs were found`);
  if (missed > 0) process.exitCode = 1;
}

async function foundBy(planted: number, first: number, threads: number): Promise<Outcome | undefined> {
  let found: Outcome | undefined;
  await simulateAll(
    range(first, first + seedsPerMutation - 1),
    threads,
    (outcome) => {
      if (outcome.violations.length > 0) found ??= outcome;
      return found === undefined;
    },
    planted,
  );
  return found;
}

function tell(seed: number, violations: string[]): void {
  console.log(`Seed ${seed} breaks a promise:`);
  for (const violation of violations) console.log(`  ${violation}`);
  console.log(`  Replay it: npm run simulate -- --seed ${seed}`);
}

/** Shows a progress bar on a terminal, and a line now and then elsewhere. */
function progress(total: number): { update: (seeds: number) => void; stop: () => void } {
  if (process.stdout.isTTY) {
    const bar = new SingleBar({ format: '{bar} {percentage}%  {value} of {total} seeds', hideCursor: true });
    bar.start(total, 0);
    return { update: (seeds) => bar.update(seeds), stop: () => bar.stop() };
  }
  let nextAt = performance.now() + lineEveryMs;
  return {
    update: (seeds) => {
      if (performance.now() < nextAt) return;
      console.log(`${seeds} of ${total} seeds`);
      nextAt += lineEveryMs;
    },
    stop: () => undefined,
  };
}
