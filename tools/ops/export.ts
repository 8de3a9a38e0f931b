import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { exportApplication } from '../../lib/archive/export.ts';
import { figure } from '../cli/figures.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { OpsProblem } from './problem.ts';
import { Progress } from './progress.ts';

/**
 * Writes an application to a file or standard output.
 *
 * @throws OpsProblem at the end when accepted messages are not in the file, because they are not stored yet
 */
export async function exportTo(
  services: Pick<OpsServices, 'ledger' | 'store'>,
  token: string,
  { output }: { output?: string },
  interruption: Pick<Interruption, 'isWanted'>,
): Promise<void> {
  const file = output === undefined ? undefined : createWriteStream(output, { flags: 'wx', mode: 0o600 });
  if (file) await once(file, 'open');
  const out = file ?? process.stdout;
  const progress = new Progress('messages', 0);
  let [missing, messages] = [0, 0];
  let whole = false;
  try {
    for await (const lines of exportApplication(services, token, (_chat, count) => (missing += count))) {
      if (!out.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) await once(out, 'drain');
      for (const line of lines) if (line.kind === 'chat' && !line.deleted) progress.expect(line.highest);
      const exported = lines.filter(({ kind }) => kind === 'message' || kind === 'deleted message').length;
      progress.advance(exported);
      messages += exported;
      if (await interruption.isWanted()) return;
    }
    whole = true;
  } finally {
    progress.stop();
    if (file) await finished(file.end());
    if (output !== undefined && !whole) rmSync(output);
  }
  console.error(`${figure(messages)} messages exported, deleted ones included.`);
  if (missing > 0)
    throw new OpsProblem(
      `${figure(missing)} accepted messages are not stored yet, and not in the file: export it again when they are.`,
    );
}
