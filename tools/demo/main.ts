import { formatNumber } from '../cli/numbers.ts';
import { onLostReader } from '../cli/output.ts';
import { CommandProblem } from '../cli/problem.ts';
import { readDeclarations } from '../texts/declarations.ts';
import { untilSearchable, untilStored } from './arrival.ts';
import { Client, Refused } from './client.ts';
import { load, openApplication } from './load.ts';
import { Progress } from './progress.ts';
import { beginRun, finishRun, type Run, unfinishedRun } from './run.ts';
import { showSearches } from './searches.ts';
import { readSettings, type Settings } from './settings.ts';
import { summary } from './summary.ts';

/** The shortest time between two lines about a failing server, in milliseconds: many requests fail at once. */
const troubleEveryMs = 5_000;

/** Set while messages are being loaded. */
let progress: Progress | undefined;
let lastTroubleAt = 0;

function tell(trouble: string): void {
  if (Date.now() - lastTroubleAt < troubleEveryMs) return;
  lastTroubleAt = Date.now();
  const line = `  The server failed (${trouble}): retrying …`;
  if (progress) progress.print(line);
  else console.log(line);
}

async function demo(settings: Settings): Promise<void> {
  const client = new Client(settings.url, settings.adminKey, tell);
  await client.greet();

  const declarations = readDeclarations();
  const messages = declarations.reduce((sum, { paragraphs }) => sum + paragraphs.length, 0);
  const contents = `${formatNumber(declarations.length)} languages, ${formatNumber(messages)} paragraphs`;
  console.log(`Loading the Universal Declaration of Human Rights (${contents}) into ${settings.url}`);

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const { run, token } = await openRun(client, settings);
  if (run.resumed) console.log(`Resuming the unfinished run of ${run.startedAt.toLocaleTimeString()}.`);
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

/** Returns the unfinished run and its application, or creates new ones. */
async function openRun(client: Client, settings: Settings): Promise<{ run: Run; token: string }> {
  const unfinished = settings.fresh ? undefined : unfinishedRun(settings);
  for (let run = unfinished ?? beginRun(settings); ; run = beginRun(settings)) {
    const token = await openApplication(client, run);
    // The application of the unfinished run was deleted, so there is nothing to resume.
    if (token !== undefined) return { run, token };
  }
}

/** Returns what went wrong and what the user can do, as a sentence; undefined for a bug of the demo. */
function sentence(error: unknown): string | undefined {
  if (error instanceof CommandProblem) return error.message;
  if (!(error instanceof Refused)) return undefined;
  switch (error.code) {
    case 'admin_key_required':
      return 'The API needs its admin key: pass it with --admin-key or in ADMIN_KEY.';
    case 'application_not_found':
    case 'chat_not_found':
      return 'The application or a chat of this run was deleted; start a new run with --fresh.';
    case 'idempotency_key_reused':
      return 'The unfinished run belongs to a version of this demo with other texts; start a new run with --fresh.';
    default:
      return error.message;
  }
}

// No cleanup is needed before the process exits: see run.ts.
for (const [signal, status] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
  process.once(signal, () => {
    progress?.stop();
    if (progress)
      console.log(
        `\nStopped with ${formatNumber(progress.accepted)} messages accepted. Run script/demo again to resume.`,
      );
    process.exit(status);
  });

onLostReader(() => false);

try {
  const settings = readSettings(process.argv.slice(2));
  if (settings) await demo(settings);
} catch (error) {
  progress?.stop();
  console.error(sentence(error) ?? error);
  process.exit(error instanceof CommandProblem ? error.exitStatus : 1);
}
