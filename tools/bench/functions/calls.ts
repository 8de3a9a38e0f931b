import { pathToFileURL } from 'node:url';
import type { HttpHandler } from '../../../functions/runtime/http/operation.ts';
import { lambdaContext } from '../../../local/lambda-events.ts';
import { events } from './events.ts';

// Calls the function in the bundle, one call after the other as Lambda does, and prints the CPU time of a call in
// microseconds: that of all threads in user and kernel mode. It parses the event and serializes the response, as
// Lambda's runtime does in every call.

const [, , bundle = '', name = '', warmUp = '', calls = ''] = process.argv;
const { handler }: { handler: HttpHandler } = await import(pathToFileURL(bundle).href);
const event = JSON.stringify(events[name as keyof typeof events]);

async function call(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const result = JSON.stringify(await handler(JSON.parse(event), lambdaContext('bench')));
    if (!/"statusCode":20[01]/.test(result)) throw new Error(`The function returned ${result}`);
  }
}

await call(Number(warmUp));
const before = process.cpuUsage();
await call(Number(calls));
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / Number(calls)));
process.exit();
