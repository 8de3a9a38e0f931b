import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { exportApplication } from '../../lib/archive/export.ts';
import { count } from '../cli/numbers.ts';
import { CommandProblem } from '../cli/problem.ts';
import type { OpsServices } from './engine.ts';
import type { Interruption } from './interruption.ts';
import { Progress } from './progress.ts';

/**
 * Writes an application to a file or standard output.
 *
 * @throws CommandProblem at the end when accepted messages are missing from the file because they are not stored yet
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
  let complete = false;
  try {
    for await (const lines of exportApplication(services, token, (_chat, notStored) => (missing += notStored))) {
      if (!out.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) await once(out, 'drain');
      for (const line of lines) if (line.kind === 'chat' && !line.deleted) progress.expect(line.highest);
      const exported = lines.filter(({ kind }) => kind === 'message' || kind === 'deleted message').length;
      progress.advance(exported);
      messages += exported;
      if (await interruption.isWanted()) return;
    }
    complete = true;
  } finally {
    progress.stop();
    if (file) await finished(file.end());
    if (output !== undefined && !complete) rmSync(output);
  }
  console.error(`${count(messages, 'message')} exported, including deleted ones.`);
  if (missing > 0)
    throw new CommandProblem(
      `Not in the file: ${count(missing, 'accepted message')} not stored yet. Export again later.`,
    );
}
