import { type Problem, validationFailed } from '../api/problems.ts';
import { limits } from '../limits.ts';
import { isNumber, isRevision, outOfBounds } from '../model/bounds.ts';
import type { ChangedMessage, WholeEntry } from './ledger.ts';

/** The problem of a create that would pass the highest number. `parameter` names the application or chat in the path. */
export const numbersUsedUp = (parameter: 'token' | 'chat_number'): Problem =>
  validationFailed([
    {
      pointer: parameter,
      detail:
        parameter === 'token'
          ? `names an application that has no chat number left, up to ${limits.highestNumber}; create another application`
          : `names a chat that has too few message numbers left, up to ${limits.highestNumber}; create another chat`,
    },
  ]);

/** The problem of an edit of something that has had the highest revision. `parameter` names it in the path. */
export const revisionsUsedUp = (parameter: 'token' | 'chat_number' | 'message_number'): Problem =>
  validationFailed([
    {
      pointer: parameter,
      detail: `names something that was edited ${limits.highestRevision} times, which is the limit`,
    },
  ]);

/**
 * The number, or 0 for one out of bounds. Nothing has the number 0, so a write to a number out of bounds, which an import
 * by an earlier version may have made, is refused as not found. The store queue would not take it.
 */
export const numberOrNone = (number: number): number => (isNumber(number) ? number : 0);

/** @throws RangeError when a number, counter, revision or time is out of bounds */
export function requireEntryInBounds(entry: WholeEntry): void {
  const { chat, highest: counter } = entry;
  const faults = outOfBounds({ ...entry, counter }).map(({ what }) => what);
  if (chat !== undefined && !isNumber(chat)) throw new RangeError('The chat number of a ledger entry is out of bounds');
  if (faults.length > 0) throw new RangeError(`The ${faults.join(', ')} of a ledger entry is out of bounds`);
}

/** @throws RangeError when a number or the revision is out of bounds */
export function requireMessageInBounds({ chat, number, revision }: ChangedMessage): void {
  if (!isNumber(chat) || !isNumber(number) || !isRevision(revision))
    throw new RangeError('The chat number, number or revision of a changed message is out of bounds');
}
