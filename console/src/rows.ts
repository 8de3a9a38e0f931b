import type { Message } from '../../client/src/index.ts';

/** A message; `isPending` while it is accepted but not stored yet. */
interface MessageContent {
  number: number;
  message: Message;
  isPending: boolean;
}

/** Consecutive numbers up to `last` that are accepted, and whose messages are not stored yet. */
interface PendingNumbers {
  number: number;
  last: number;
}

/** What the list of a chat shows. */
type Row = MessageContent | PendingNumbers;

/**
 * Returns the rows of a chat in the order of their numbers.
 *
 * @param pending the numbers between the stored messages that are not stored yet, in ascending order
 * @param sent what this page has sent, stored or not
 */
export function rowsOf(stored: Message[], pending: number[], sent: Message[]): Row[] {
  const isStored = new Set(stored.map(({ number }) => number));
  const messages = [
    ...stored.map((message) => ({ number: message.number, message, isPending: false })),
    ...sent
      .filter(({ number }) => !isStored.has(number))
      .map((message) => ({ number: message.number, message, isPending: true })),
  ];
  const shown = new Set(messages.map(({ number }) => number));
  const runs: PendingNumbers[] = [];
  for (const number of pending) {
    const run = runs.at(-1);
    if (shown.has(number)) continue;
    if (run?.last === number - 1) run.last = number;
    else runs.push({ number, last: number });
  }
  return [...messages, ...runs].sort((a, b) => a.number - b.number);
}

/** Returns how many messages among the rows are not stored yet. */
export const pendingIn = (rows: Row[]): number =>
  rows.reduce((sum, row) => sum + ('message' in row ? Number(row.isPending) : row.last - row.number + 1), 0);
