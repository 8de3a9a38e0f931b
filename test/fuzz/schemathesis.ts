import path from 'node:path';
import { beforeAll } from 'vitest';
import { schemathesis } from '../../tools/stack/native/schemathesis.ts';
import { python } from '../../tools/stack/native/tools.ts';
import { run } from '../../tools/stack/run.ts';
import { requireTools } from '../../tools/stack/tools.ts';

export const adminKey = 'the admin key';
const folder = import.meta.dirname;
let command: [string, ...string[]];

beforeAll(async () => {
  await requireTools([python]);
  command = await schemathesis(() => undefined);
});

/**
 * Runs Schemathesis as configured in schemathesis.toml, and returns its output. Fails with the output when it finds
 * something.
 *
 * @param token of an application with a chat and a message
 */
export const fuzz = (token: string, ...more: string[]): Promise<string> =>
  run([...command, '--config-file', path.join(folder, 'schemathesis.toml'), '--no-color', 'run', ...more], {
    cwd: folder,
    env: { ...process.env, ADMIN_KEY: adminKey, APPLICATION_TOKEN: token, PYTHONDONTWRITEBYTECODE: '1' },
  });
