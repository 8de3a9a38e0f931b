import { onTestFinished } from 'vitest';
import { type Host, newDataDir, removeDataDir } from './host.ts';

/** A data folder, removed with all in it when the test is over. */
export function dataFolder(): string {
  const folder = newDataDir();
  onTestFinished(() => removeDataDir(folder));
  return folder;
}

/** The host, which ends with the test. */
export async function hostOf(starting: Promise<Host>): Promise<Host> {
  const started = await starting;
  onTestFinished(async () => {
    await started.stop('SIGKILL');
  });
  return started;
}
