import { Command, InvalidArgumentError } from 'commander';
import { onLostReader } from '../../tools/cli/output.ts';
import { runCase, type TimedSearch } from './run-case.ts';

/** Number of slowest searches to print. */
const slowestShown = 10;

const wholeNumber = (text: string): number => {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

onLostReader(() => false);

const options = new Command('npm run fuzz:searches --')
  .description(
    'Draws messages and queries that may make a search of the embedded engine slow, compares each search with a scan of the texts, and prints the slowest. A seed replays exactly.',
  )
  .option('--minutes <minutes>', 'how long to go on', wholeNumber, 1)
  .option('--from <seed>', 'the first seed', wholeNumber, 1)
  .option('--seed <seed>', 'run this one alone')
  .option('--size <characters>', 'how many characters the messages of a seed have in all', wholeNumber, 5_000_000)
  .parse()
  .opts<{ minutes: number; from: number; seed?: string; size: number }>();

const end = performance.now() + options.minutes * 60_000;
const first = options.seed === undefined ? options.from : wholeNumber(options.seed);
const searches: TimedSearch[] = [];
let seed = first;
do searches.push(...(await runCase(seed++, options.size)));
while (options.seed === undefined && performance.now() < end);

const told = ({ seed: of, ms, what }: TimedSearch) => `${ms.toFixed(0).padStart(6)} ms  seed ${of}: ${what}`;
for (const search of searches.toSorted((a, b) => b.ms - a.ms).slice(0, slowestShown)) console.log(told(search));
const wrong = searches.filter((search) => search.wrong !== undefined);
for (const search of wrong) console.log(`WRONG ${told(search)}\n       ${search.wrong}`);
console.log(
  `${searches.length} searches of seeds ${first} to ${seed - 1}, ${options.size} characters each: ${wrong.length} wrong. Replay one: npm run fuzz:searches -- --size ${options.size} --seed SEED`,
);
if (wrong.length > 0) process.exitCode = 1;
