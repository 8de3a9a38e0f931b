import { limits } from '../limits.ts';
import type { Parent } from '../model/keys.ts';
import type { NumberRange } from '../model/ranges.ts';
import type { Compared, Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Returns the missing numbers of a range as differences. A repair also notes the time at which it first found neither
 * a row nor a write for a number. It removes the note when it finds the write parked, queued or as a dead letter,
 * because that write may still be stored. If the write disappears, the number is noted with a new time.
 *
 * @param numbers.missing numbers of the range that are assigned and have no row
 * @returns the differences, and how many of the numbers are not void
 */
export async function missingNumbers(
  { store, waiting, now, repair }: Run,
  parent: Parent,
  { range, missing }: { range: NumberRange; missing: number[] },
): Promise<Compared> {
  const notes = new Map((await store.missing(parent, range)).map((note) => [note.number, note]));
  const differences: Difference[] = [];
  const [fresh, overdue]: [number[], number[]] = [[], []];
  // The notes to remove. The loop takes out the numbers that are still missing; the others are stored by now, or their
  // write was found. `forgetMissing` keeps those that are void.
  const obsolete = new Set(notes.keys());
  for (const number of missing) {
    const note = notes.get(number);
    if (note?.void) continue;
    // A time in the future comes from a clock that was ahead. Note the number again, so that it can become void.
    const noted = note && note.noticedAt <= now ? note.noticedAt : undefined;
    const about =
      parent.chat === undefined
        ? { token: parent.token, chat: number }
        : { token: parent.token, chat: parent.chat, number };
    const found = waiting.find(parent, number);
    if (found !== 'nowhere') {
      differences.push({ kind: 'missing', ...about, found, repaired: false });
      continue;
    }
    obsolete.delete(number);
    if (repair && noted !== undefined && noted + limits.voidAfterMs <= now && waiting.unreadable.length === 0) {
      overdue.push(number);
      differences.push({ kind: 'void', ...about, noticedAt: noted, repaired: true });
      continue;
    }
    if (noted === undefined) fresh.push(number);
    const noticedAt = noted ?? (repair ? now : undefined);
    differences.push({
      kind: 'missing',
      ...about,
      ...(noticedAt !== undefined && { noticedAt }),
      found,
      repaired: false,
    });
  }
  if (repair) {
    await store.forgetMissing(parent, [...obsolete]);
    await store.noteMissing(parent, fresh, now);
    await store.recordVoid(parent, overdue);
  }
  return { differences, unstored: differences.length - overdue.length };
}
