import { type AwsQueue, queues } from '../../functions/queues.ts';
import { targetOf } from '../../lib/model/write.ts';
import { decodeChanges, decodeStepsRecord, decodeWrites, UnreadableRecord } from '../../lib/queue/records.ts';
import { formatNumber } from '../cli/numbers.ts';

/** The number of token characters to print: enough to tell applications apart, too few to access one. */
const shownOfToken = 6;

/** Returns the beginning of a token. */
export const shortToken = (token: string): string => `${token.slice(0, shownOfToken)}…`;

/** Formats numbers as ranges: 1–3, 7. */
export function rangesText(numbers: number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const texts: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i] as number;
    while (sorted[i + 1] === (sorted[i] as number) + 1) i++;
    const last = sorted[i] as number;
    texts.push(first === last ? `${first}` : `${first}–${last}`);
  }
  return texts.join(', ');
}

type Target = ReturnType<typeof targetOf> & { what: string };

/** For each kind of content of a queue, a function that returns what a record is about. */
const targetsIn: Record<(typeof queues)[AwsQueue]['carries'], (body: string) => Target[]> = {
  writes: (body) => decodeWrites(body).map((write) => ({ what: write.kind, ...targetOf(write) })),
  changes: (body) => decodeChanges(body).map((key) => ({ what: 'changed message', ...key })),
  steps: (body) =>
    decodeStepsRecord(body).steps.map(({ token, chat, version }) =>
      chat === undefined
        ? { what: 'version of the application', token, chat: version }
        : { what: 'version', token, chat, number: version },
    ),
};

/** Describes a record in one line of kinds and numbers, without its content. */
export function describeDeadLetter(queue: AwsQueue, body: string): string {
  try {
    const targets = targetsIn[queues[queue].carries](body);
    const groups = Map.groupBy(targets, ({ what, token, chat, number }) =>
      [what, number === undefined ? '' : `of chat ${chat}`, `in ${shortToken(token)}`].filter(Boolean).join(' '),
    );
    return [...groups]
      .map(([group, members]) => {
        const numbers = members.map(({ chat, number }) => number ?? chat).filter((each) => each !== undefined);
        return numbers.length > 0 ? `${group}: ${rangesText(numbers)}` : group;
      })
      .join('; ');
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return `unreadable, ${formatNumber(body.length)} characters`;
  }
}
