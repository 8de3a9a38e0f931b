import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { browserPrograms } from '../../../tools/stack/native/tools.ts';
import { dataFolder } from './for-this-test.ts';

/** Returns the file of a Chromium. @throws Error when there is none */
export function chromiumFile(): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = folders
    .flatMap((folder) => browserPrograms.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
  if (!found) throw new Error('This test needs Chromium: apt-get install chromium, or put google-chrome in the PATH.');
  return found;
}

/** Opens a page in a Chromium of its own, until the end of the test. */
export function openInChromium(url: string): void {
  const child = spawn(
    chromiumFile(),
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-dev-shm-usage'],
      // Nothing but the page uses the network.
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...[`--user-data-dir=${path.join(dataFolder(), 'profile')}`, url],
    ],
    // A process group of its own, because Chromium starts several processes.
    { stdio: 'ignore', detached: true },
  );
  onTestFinished(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    process.kill(-child.pid, 'SIGKILL');
    await exit;
  });
}
