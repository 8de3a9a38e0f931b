import { runAsFunction } from './environment.ts';

// Runs as it stands: what Node.js does to TypeScript would be measured, too. Lambda's runtime has opened the process's
// streams by the time it loads a function.
const script = `
  const file = (await import('node:url')).pathToFileURL(process.argv[1]).href;
  process.stdout; process.stderr;
  const before = process.cpuUsage();
  const { handler } = await import(file);
  const { user, system } = process.cpuUsage(before);
  if (typeof handler !== 'function') throw new Error('There is no handler');
  console.log((user + system) / 1_000);
  process.exit();
`;

/** Starts the function in the bundle, in a process of its own, and answers what that takes of the processor, in milliseconds. */
export const start = async (bundle: string, variables: Record<string, string>): Promise<number> =>
  Number(await runAsFunction(variables, '--input-type=module', '--eval', script, bundle));
