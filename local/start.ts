import { once } from 'node:events';
import { type AddressInfo, createServer as createProbe } from 'node:net';
import { setLogLevel } from '../functions/runtime/log.ts';
import { UnusableDatabase } from '../lib/sqlite/database.ts';
import { BadSettings } from './command-line.ts';
import { startEngine } from './engine.ts';
import { stage } from './lambda-events.ts';
import { loadOperations } from './operations.ts';
import { createServer } from './server.ts';
import { readSettings, type Settings } from './settings.ts';
import { UnusableSystemSecret } from './system-secret.ts';

/** Connections get this long to finish what is in flight once the process is told to stop. */
const drainMs = 1_500;

/** Fails early, before anything is opened or made, when the port can't be had. */
async function probe({ port, host }: Settings): Promise<void> {
  const server = createProbe();
  server.listen(port, host);
  await once(server, 'listening');
  server.close();
}

const sentence = (error: unknown, { port, host, dataDir }: Settings): string | undefined => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UnusableDatabase || error instanceof UnusableSystemSecret) return message;
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is in use; choose another with --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${host} is not an address of this machine; choose another with --host.`;
  if (code === 'EACCES' && (error as { syscall?: string }).syscall === 'listen')
    return `Port ${port} may not be used without special rights; choose one above 1023 with --port.`;
  if (
    code &&
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT', 'ENOSPC', 'EDQUOT', 'EIO'].includes(code)
  )
    return `The data folder ${dataDir} cannot be written (${code}); choose another with --data-dir.`;
  return undefined;
};

async function start(settings: Settings): Promise<void> {
  const { port, host, dataDir, adminKey, logLevel, rollupSeconds } = settings;
  setLogLevel(logLevel);

  await probe(settings);
  const engine = await startEngine(dataDir, rollupSeconds, logLevel, adminKey);
  const server = createServer(await loadOperations({ ...engine.services, adminKey }, engine.reads));
  await server.listen({ port, host });

  const { port: listening } = server.server.address() as AddressInfo;
  const name = host === '127.0.0.1' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const api = `http://${name}:${listening}/${stage}`;
  console.log(`chat-system is ready.

  API    ${api}
  Docs   ${api}/docs
  Data   ${dataDir}
  Admin  ${adminKey ? 'creating and listing applications need the admin key in x-api-key' : 'no ADMIN_KEY is set: the registry is open, anyone who reaches the API may create and list applications'}

Try it:

  curl ${api}/applications -H 'content-type: application/json' ${adminKey ? `-H "x-api-key: $ADMIN_KEY" ` : ''}-d '{"name": "My first application"}'

Stop it with Ctrl-C.`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    const drained = server.close();
    setTimeout(() => server.server.closeAllConnections(), drainMs).unref();
    await drained;
    await engine.stop();
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

let settings: Settings | undefined;
try {
  settings = readSettings(process.argv.slice(2));
  if (settings) await start(settings);
} catch (error) {
  const known = error instanceof BadSettings ? error.message : settings && sentence(error, settings);
  console.error(known ?? error);
  process.exit(1);
}
