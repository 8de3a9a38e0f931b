import { onTestFinished } from 'vitest';
import { type Host, newDataDir, removeDataDir } from './host.ts';

/** Returns a new data folder, which is removed with its content after the test. */
export function dataFolder(): string {
  const folder = newDataDir();
  onTestFinished(() => removeDataDir(folder));
  return folder;
}

/** Returns the host, which is stopped after the test. */
export async function hostOf(starting: Promise<Host>): Promise<Host> {
  const started = await starting;
  onTestFinished(async () => {
    await started.stop('SIGKILL');
  });
  return started;
}
