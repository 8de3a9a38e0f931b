import type { AwsQueue } from '../../functions/queues.ts';
import type { KeptDeadLetter, Queue } from '../../lib/queue/queue.ts';
import { count, formatNumber } from '../cli/numbers.ts';
import { table } from '../cli/table.ts';
import { describeDeadLetter } from './describe-dead-letter.ts';

interface ListFlags {
  limit: number;
  json?: boolean;
  show?: boolean;
}

const units = [
  ['d', 24 * 60 * 60_000],
  ['h', 60 * 60_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** Formats a time span in its largest unit: 3 h. */
const span = (ms: number): string => {
  const [name, unit] = units.find(([, each]) => ms >= each) ?? units[3];
  return `${Math.max(0, Math.floor(ms / unit))} ${name}`;
};

/** Prints up to `limit` dead letters of each queue, and how many there are in total. */
export async function listDeadLetters(
  queues: ReadonlyMap<AwsQueue, Queue>,
  { limit, json, show }: ListFlags,
): Promise<void> {
  const listed: { queue: AwsQueue; deadLetter: KeptDeadLetter }[] = [];
  let total = 0;
  for (const [name, queue] of queues) {
    total += await queue.deadLetterCount();
    listed.push(...(await queue.deadLetters(limit)).map((deadLetter) => ({ queue: name, deadLetter })));
  }
  const rows = listed.map(({ queue, deadLetter: { body, reason, at } }) => ({
    queue,
    at,
    reason,
    about: describeDeadLetter(queue, body),
    ...(show && { body }),
  }));
  if (json) {
    for (const { at, ...row } of rows)
      console.log(JSON.stringify({ ...row, at: at === undefined ? null : new Date(at).toISOString() }));
    return;
  }
  if (rows.length > 0) {
    const now = Date.now();
    const cells = rows.map(({ queue, at, reason, about }) => [
      queue,
      at === undefined ? '-' : span(now - at),
      reason,
      about,
    ]);
    const [headings, ...lines] = table(['queue', 'age', 'reason', 'about'], cells);
    console.log(headings);
    for (const [i, line] of lines.entries()) {
      console.log(line);
      if (show) console.log(`  ${rows[i]?.body}`);
    }
  }
  // SQS counts approximately, but the listed dead letters do exist.
  const all = Math.max(total, rows.length);
  console.log(all === 0 ? 'No dead letters.' : `${formatNumber(rows.length)} of ${count(all, 'dead letter')}.`);
}
