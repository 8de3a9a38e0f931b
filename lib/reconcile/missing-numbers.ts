import { limits } from '../limits.ts';
import type { Parent } from '../model/keys.ts';
import type { Difference } from './difference.ts';
import type { Run } from './run.ts';

/**
 * Names the missing numbers of a stretch, and keeps the notes of them: since when they are missing while their writes are
 * nowhere to be seen. What is parked, queued or a dead letter may go back to a queue, and its time begins anew then.
 *
 * @param missing numbers of the stretch that were given and have no row
 * @returns how many of them are not void
 */
export async function* missingNumbers(
  { store, waiting, now, repair }: Run,
  parent: Parent,
  { from, to }: { from: number; to: number },
  missing: number[],
): AsyncGenerator<Difference, number> {
  const notes = new Map((await store.missing(parent, from, to)).map((note) => [note.number, note]));
  const differences: Difference[] = [];
  const [fresh, overdue]: [number[], number[]] = [[], []];
  // What remains in here is noted, and there by now or about to come.
  const settled = new Set(notes.keys());
  for (const number of missing) {
    const note = notes.get(number);
    if (note?.void) continue;
    // A time to come was noted by a clock that was ahead. The number is noted again, or it would never become void.
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
    settled.delete(number);
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
    await store.forgetMissing(parent, [...settled]);
    await store.noteMissing(parent, fresh, now);
    await store.recordVoid(parent, overdue);
  }
  yield* differences;
  return differences.length - overdue.length;
}
