import { BadSettings } from '../cli/command-line.ts';
import { figure } from '../cli/figures.ts';
import { untilSearchable, untilStored } from './arrival.ts';
import { Client, Refused, Unreachable } from './client.ts';
import { readDeclarations } from './declarations.ts';
import { load, openApplication } from './load.ts';
import { Progress } from './progress.ts';
import { beginRun, finishRun, type Run, unfinishedRun } from './run.ts';
import { showSearches } from './searches.ts';
import { readSettings, type Settings } from './settings.ts';
import { summary } from './summary.ts';

/** A server that is away for a while is worth a line now and then, not one for each request. */
const troubleEveryMs = 5_000;

/** While messages are on their way. */
let progress: Progress | undefined;
let lastTroubleAt = 0;

function tell(trouble: string): void {
  if (Date.now() - lastTroubleAt < troubleEveryMs) return;
  lastTroubleAt = Date.now();
  const line = `  The server is in trouble (${trouble}): trying again …`;
  if (progress) progress.print(line);
  else console.log(line);
}

async function demo(settings: Settings): Promise<void> {
  const client = new Client(settings.url, settings.adminKey, tell);
  await client.greet();

  const declarations = readDeclarations();
  const messages = declarations.reduce((sum, { paragraphs }) => sum + paragraphs.length, 0);
  const contents = `in ${figure(declarations.length)} languages, ${figure(messages)} paragraphs`;
  console.log(`The Universal Declaration of Human Rights ${contents}, goes to ${settings.url}`);

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const { run, token } = await openRun(client, settings);
  if (run.resumed)
    console.log(`A run begun at ${run.startedAt.toLocaleTimeString()} was not finished: going on with it.`);
  console.log();

  const bars = new Progress(messages);
  progress = bars;
  let messagesBefore = 0;
  const chats = await load(client, run, token, declarations, settings.concurrency, (accepted, before) => {
    bars.reached('accepted', accepted);
    if (before) messagesBefore += accepted;
  });
  const acceptedMs = elapsed();
  const [storedMs, searchableMs] = await Promise.all([
    untilStored(client, chats, (stored) => bars.reached('stored', stored)).then(elapsed),
    untilSearchable(client, chats, (searchable) => bars.reached('searchable', searchable)).then(elapsed),
  ]);
  finishRun(settings, run);
  bars.stop();
  progress = undefined;

  console.log();
  console.log(summary({ token, chats: chats.length, messages, messagesBefore, acceptedMs, storedMs, searchableMs }));
  await showSearches(client, token, chats);
  console.log(
    `\nSearch for more:\n\n  curl -G ${settings.url}/applications/${token}/search --data-urlencode 'q=dignid'`,
  );
}

/** The unfinished run and its application, or new ones. */
async function openRun(client: Client, settings: Settings): Promise<{ run: Run; token: string }> {
  const unfinished = settings.fresh ? undefined : unfinishedRun(settings);
  for (let run = unfinished ?? beginRun(settings); ; run = beginRun(settings)) {
    const token = await openApplication(client, run);
    // Somebody deleted the application of the unfinished run, and with it all that there was to go on with.
    if (token !== undefined) return { run, token };
  }
}

/** What the user can do about it, in a sentence; undefined for what is the demo's own fault. */
function sentence(error: unknown): string | undefined {
  if (error instanceof BadSettings || error instanceof Unreachable) return error.message;
  if (!(error instanceof Refused)) return undefined;
  switch (error.code) {
    case 'admin_key_required':
      return 'The API asks for its admin key: give it with --admin-key or in ADMIN_KEY.';
    case 'application_not_found':
    case 'chat_not_found':
      return 'What this run had created was deleted meanwhile; start another run with --fresh.';
    case 'idempotency_key_reused':
      return 'The unfinished run was begun with other texts, by another version of this demo; start another run with --fresh.';
    default:
      return error.message;
  }
}

// Nothing has to be put in order before the process ends: see run.ts.
for (const [signal, status] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
  process.once(signal, () => {
    progress?.stop();
    if (progress)
      console.log(`\nStopped with ${figure(progress.accepted)} messages accepted. Run script/demo again to go on.`);
    process.exit(status);
  });

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on('error', () => process.exit(0));

try {
  const settings = readSettings(process.argv.slice(2));
  if (settings) await demo(settings);
} catch (error) {
  progress?.stop();
  console.error(sentence(error) ?? error);
  process.exit(1);
}
