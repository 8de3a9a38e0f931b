import { runAsFunction } from './environment.ts';

// This is plain JavaScript, because otherwise the measurement would include Node.js stripping types. It opens the
// streams first, because Lambda's runtime has opened them by the time it loads a function.
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

/** Starts the function in the bundle in a new process, and returns the CPU time of the start in milliseconds. */
export const start = async (bundle: string, variables: Record<string, string>): Promise<number> =>
  Number(await runAsFunction(variables, '--input-type=module', '--eval', script, bundle));
