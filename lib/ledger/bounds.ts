import { isNumber, isRevision, outOfBounds } from '../model/bounds.ts';
import type { ChangedMessage, WholeEntry } from './ledger.ts';

/**
 * Returns the number, or 0 when it is out of bounds. Nothing has the number 0, so a write to a number out of bounds
 * fails with NotFound. An import by an earlier version may have created such numbers, but the store worker cannot read
 * records that contain them.
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
