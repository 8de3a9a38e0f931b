import { once } from 'node:events';
import { createServer as createProbe } from 'node:net';
import { type LogLevel, setLogLevel } from '../functions/runtime/observe/log.ts';
import { UnusableDatabase } from '../lib/sqlite/database.ts';
import { onLostReader } from '../tools/cli/output.ts';
import { CommandProblem } from '../tools/cli/problem.ts';
import { startEngine } from './engine.ts';
import { apiStage } from './lambda-events.ts';
import { isLoopback } from './loopback.ts';
import { Metrics } from './metrics.ts';
import { loadOperations } from './operations.ts';
import { createServer } from './server.ts';
import { readSettings, type Settings } from './settings.ts';
import { UnusableSystemSecret } from './system-secret.ts';
import { onTerminal, Traffic } from './traffic.ts';

/**
 * The process exits after this time at the latest, in milliseconds. Stopping takes at most about 5 s: 1.5 s for
 * connections and 3 s for batches.
 */
const stopMs = 8_000;

/** Throws when the port cannot be used, before any file is opened or created. */
async function probe({ port, host }: Settings): Promise<void> {
  const server = createProbe();
  server.listen(port, host);
  await once(server, 'listening');
  server.close();
}

/** Returns what went wrong and what the user can do, in a sentence; undefined for a bug. */
const explanationOf = (error: unknown, { port, host, dataDir }: Settings): string | undefined => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UnusableDatabase || error instanceof UnusableSystemSecret) return message;
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is in use; choose another with --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${host} is not an address of this machine; choose another with --host.`;
  if (code === 'EACCES' && (error as { syscall?: string }).syscall === 'listen')
    return `Port ${port} needs special privileges; choose one above 1023 with --port.`;
  if (
    code &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT', 'ENOSPC', 'EDQUOT', 'EIO'].includes(code)
  )
    return `The data folder ${dataDir} cannot be written (${code}); choose another with --data-dir.`;
  return undefined;
};

/** Returns who may create and list applications, in a sentence. */
function adminText(adminKey: string | undefined, onLoopback: boolean): string {
  if (adminKey) return 'creating and listing applications need the admin key in x-api-key';
  return onLoopback
    ? 'no ADMIN_KEY is set, so any program on this machine may create and list applications'
    : 'WARNING: no ADMIN_KEY is set and this is not a loopback address, so anyone on the network can create and list applications, and so read everything';
}

/** Returns what this terminal will show, in a sentence. */
function logText(level: LogLevel): string {
  if (level === 'debug') return 'a line for each request';
  const shown = { info: 'problems, and a summary every minute while there is traffic', silent: 'nothing' };
  return `${level in shown ? shown[level as keyof typeof shown] : 'problems only'}; --log-level debug prints a line for each request`;
}

async function start(settings: Settings): Promise<void> {
  const { port, host, dataDir, adminKey, logLevel, rollupSeconds } = settings;
  setLogLevel(logLevel);

  await probe(settings);
  const engine = await startEngine(dataDir, rollupSeconds, logLevel, adminKey);
  const onLoopback = isLoopback(host);
  const operations = await loadOperations({ ...engine.services, adminKey }, engine.reads);
  const traffic = new Traffic({
    isVerbose: logLevel === 'debug',
    followers: engine.followers,
    ...(process.stdout.isTTY && { show: onTerminal((line) => console.log(line)) }),
  });
  const metrics = new Metrics(traffic, engine.state);
  const checks = { adminKey, onLoopback, access: engine.services.access, isKnown: engine.isKnown };
  const server = createServer(operations, checks, { traffic, metrics });
  await server.listen({ port, host });

  const name = host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const api = `http://${name}:${server.port}/${apiStage}`;
  console.log(`chat-system is ready.

  API      ${api}
  Console  ${api}/console
  Docs     ${api}/docs
  Data     ${dataDir}
  Admin    ${adminText(adminKey, onLoopback)}
  Log      ${logText(logLevel)}

Try it:

  curl ${api}/applications -H 'content-type: application/json' ${adminKey ? `-H "x-api-key: $ADMIN_KEY" ` : ''}-d '{"name": "My first application"}'

Stop it with Ctrl-C.`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopMs).unref();
    engine.endStreams();
    await server.close();
    await engine.stop();
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

onLostReader(() => true);

let settings: Settings | undefined;
try {
  settings = readSettings(process.argv.slice(2));
  if (settings) await start(settings);
} catch (error) {
  const known = error instanceof CommandProblem ? error.message : settings && explanationOf(error, settings);
  console.error(known ?? error);
  process.exit(error instanceof CommandProblem ? error.exitStatus : 1);
}
