import { ChatSystem, ChatSystemError, type Settings as ClientSettings } from '../../client/src/index.ts';
import { formatNumber } from '../cli/numbers.ts';
import { onLostReader } from '../cli/output.ts';
import { CommandProblem } from '../cli/problem.ts';
import { readDeclarations } from '../texts/declarations.ts';
import { untilSearchable, untilStored } from './arrival.ts';
import { load, openApplication } from './load.ts';
import { Progress } from './progress.ts';
import { beginRun, finishRun, type Run, unfinishedRun } from './run.ts';
import { showSearches } from './searches.ts';
import { readSettings, type Settings } from './settings.ts';
import { summary } from './summary.ts';

/** Milliseconds after the first failure of a request until the demo gives up. */
const giveUpMs = 60_000;
/** The shortest time between two lines about failed requests, in milliseconds: many requests fail at once. */
const failureLineEveryMs = 5_000;

/** Set while messages are being loaded. */
let progress: Progress | undefined;
let lastFailureLineAt = 0;

/** Says in a word or two why a request failed. */
const failureText = ({ status, detail }: ChatSystemError): string => (status === 0 ? detail : `status ${status}`);

function reportFailure(error: ChatSystemError): void {
  if (Date.now() - lastFailureLineAt < failureLineEveryMs) return;
  lastFailureLineAt = Date.now();
  const line = `  The server failed (${failureText(error)}): retrying …`;
  if (progress) progress.print(line);
  else console.log(line);
}

async function demo(settings: Settings): Promise<void> {
  const { url, adminKey } = settings;
  const forClient = { url, ...(adminKey !== undefined && { adminKey }), retryMs: giveUpMs, onRetry: reportFailure };
  await requireServer(forClient);

  const declarations = readDeclarations();
  const messages = declarations.reduce((sum, { paragraphs }) => sum + paragraphs.length, 0);
  const contents = `${formatNumber(declarations.length)} languages, ${formatNumber(messages)} paragraphs`;
  console.log(`Loading the Universal Declaration of Human Rights (${contents}) into ${settings.url}`);

  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const { run, token, system } = await openRun(forClient, settings);
  if (run.resumed) console.log(`Resuming the unfinished run of ${run.startedAt.toLocaleTimeString()}.`);
  console.log();

  const bars = new Progress(messages);
  progress = bars;
  let messagesBefore = 0;
  const chats = await load(system, run, declarations, settings.concurrency, (accepted, before) => {
    bars.reached('accepted', accepted);
    if (before) messagesBefore += accepted;
  });
  const acceptedMs = elapsed();
  const [storedMs, searchableMs] = await Promise.all([
    untilStored(chats, (stored) => bars.reached('stored', stored)).then(elapsed),
    untilSearchable(chats, (searchable) => bars.reached('searchable', searchable)).then(elapsed),
  ]);
  finishRun(settings, run);
  bars.stop();
  progress = undefined;

  console.log();
  console.log(summary({ token, chats: chats.length, messages, messagesBefore, acceptedMs, storedMs, searchableMs }));
  await showSearches(system, chats);
  console.log(
    `\nSearch for more:\n\n  curl -G ${settings.url}/applications/${token}/search --data-urlencode 'q=dignid'`,
  );
}

/** Checks that a chat system responds. @throws CommandProblem without a retry when none does */
async function requireServer(forClient: ClientSettings): Promise<void> {
  let isChatSystem: boolean;
  try {
    const health = await new ChatSystem(forClient).health({ retryMs: 0 });
    isChatSystem = health.status === 'ok';
  } catch (error) {
    if (!(error instanceof ChatSystemError)) throw error;
    if (error.status === 0)
      throw new CommandProblem(
        `No chat system responds at ${forClient.url} (${failureText(error)}): start one with script/start in another terminal, or name another one with --url.`,
      );
    isChatSystem = error.isTemporary;
  }
  if (!isChatSystem)
    throw new CommandProblem(
      `The server at ${forClient.url} is not a chat system: give the base URL of one with --url, such as http://localhost:3000/v1.`,
    );
}

/** Returns the unfinished run and its application, or creates new ones. */
async function openRun(
  forClient: ClientSettings,
  settings: Settings,
): Promise<{ run: Run; token: string; system: ChatSystem }> {
  const unfinished = settings.fresh ? undefined : unfinishedRun(settings);
  for (let run = unfinished ?? beginRun(settings); ; run = beginRun(settings)) {
    const opened = await openApplication(forClient, run);
    // The application of the unfinished run was deleted, so there is nothing to resume.
    if (opened) return { run, ...opened };
  }
}

/** Returns what went wrong and what the user can do, as a sentence; undefined for a bug of the demo. */
function sentence(error: unknown): string | undefined {
  if (error instanceof CommandProblem) return error.message;
  if (!(error instanceof ChatSystemError)) return undefined;
  if (error.isTemporary)
    return `The server has failed for ${giveUpMs / 1_000} s (${failureText(error)}). When it is back, run script/demo again: it continues from here.`;
  switch (error.code) {
    case 'admin_key_required':
      return 'The API needs its admin key: pass it with --admin-key or in ADMIN_KEY.';
    case 'access_token_invalid':
    case 'chat_not_found':
      return 'The application or a chat of this run was deleted; start a new run with --fresh.';
    case 'idempotency_key_reused':
      return 'The unfinished run belongs to a version of this demo with other texts; start a new run with --fresh.';
    default:
      return `The server refused a request with ${error.status} ${error.code}: ${error.detail}`;
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
