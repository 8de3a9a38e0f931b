import { BackupProblem, backUp } from '../../local/backup.ts';
import { formatNumber, seconds } from '../cli/numbers.ts';
import { CommandProblem } from '../cli/problem.ts';
import { requireSystem } from './embedded-services.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

const bytesPerMb = 1_000_000;

/**
 * Copies a data folder to a new folder. Without a terminal it prints nothing, so that cron sends mail only for failures.
 */
export async function backUpTo(
  dataDir: string,
  folder: string,
  interruption: Pick<Interruption, 'wanted' | 'exitCode'>,
): Promise<void> {
  requireSystem(dataDir);
  const began = Date.now();
  const shown = process.stderr.isTTY;
  let progress: Progress | undefined;
  let [total, copied] = [0, 0];
  try {
    await backUp(dataDir, folder, (step) => {
      if (interruption.wanted)
        throw new CommandProblem('Stopped. The unfinished backup was removed.', { exitStatus: interruption.exitCode });
      if (!shown) return;
      if (step.kind === 'checking') {
        // SQLite does not report its last step.
        progress?.advance(Math.ceil(total / bytesPerMb) - copied);
        progress?.stop();
        progress = undefined;
        console.error('  checking the copy');
        return;
      }
      total = step.totalBytes;
      progress ??= new Progress('MB copied', Math.ceil(total / bytesPerMb));
      const done = Math.ceil((total - step.remainingBytes) / bytesPerMb);
      progress.advance(done - copied);
      copied = done;
    });
  } catch (error) {
    throw error instanceof BackupProblem ? new CommandProblem(error.message) : error;
  } finally {
    progress?.stop();
  }
  if (shown)
    console.error(`${folder} is complete: ${formatNumber(total / bytesPerMb)} MB (${seconds(Date.now() - began)}).`);
}
