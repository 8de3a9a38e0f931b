import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject, type ProvidedContext } from 'vitest';

// Waits until the stack is up, before the test file is loaded.

const file = inject('stackFile');
while (!existsSync(file)) await sleep(200);
const { stack, error } = JSON.parse(readFileSync(file, 'utf8')) as { stack?: ProvidedContext['stack']; error?: string };
if (!stack) throw new Error(`The stack did not start: ${error}`);
Object.assign(inject('stack'), stack);
