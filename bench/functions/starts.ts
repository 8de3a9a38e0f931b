import { runAsFunction } from './environment.ts';

export interface Start {
  /** From before the code is read until the handler is there. */
  wallMs: number;
  cpuMs: number;
}

// Runs as it stands: what Node.js does to TypeScript would be measured, too. Lambda's runtime has opened the process's
// streams by the time it loads a function.
const script = `
  const file = (await import('node:url')).pathToFileURL(process.argv[1]).href;
  process.stdout; process.stderr;
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  const { handler } = await import(file);
  const wallMs = performance.now() - at;
  const { user, system } = process.cpuUsage(cpu);
  if (typeof handler !== 'function') throw new Error('There is no handler');
  console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1_000 }));
  process.exit();
`;

/** Starts the function in the bundle once, in a process of its own. */
export const start = async (bundle: string, variables: Record<string, string>): Promise<Start> =>
  JSON.parse(await runAsFunction(variables, '--input-type=module', '--eval', script, bundle));
