import { limits } from '../../../lib/limits.ts';
import type { Change, ChangesPage, ChangesRange, ChatState, Step } from '../../../lib/store/changes.ts';
import type { StoredMessage } from '../../../lib/store/reads.ts';
import { fitting } from './pages.ts';
import { chatStateView, messageView } from './views.ts';

// Changes as clients see them, in pages and in what followers get. A deleted message or chat has only its number left.

export const messageChangeView = (change: Change<StoredMessage>) =>
  change.type === 'deleted'
    ? { change: change.version, type: 'message.deleted' as const, message: { number: change.number } }
    : { change: change.version, type: `message.${change.type}` as const, message: messageView(change.stored) };

export const chatChangeView = (change: Change<ChatState>) =>
  change.type === 'deleted'
    ? { change: change.version, type: 'chat.deleted' as const, chat: { number: change.number } }
    : { change: change.version, type: `chat.${change.type}` as const, chat: chatStateView(change.stored) };

/**
 * Returns the JSON that followers get for a version: `{chat_number?, change, data}` or, above `limits.stepBytes`,
 * `{chat_number?, change, truncated: true}`.
 */
export function stepJson(step: Step): string {
  const about = { ...(step.chat !== undefined && { chat_number: step.chat }), change: step.version };
  const data = step.chat === undefined ? step.changes.map(chatChangeView) : step.changes.map(messageChangeView);
  const whole = JSON.stringify({ ...about, data });
  return Buffer.byteLength(whole) <= limits.stepBytes ? whole : JSON.stringify({ ...about, truncated: true });
}

/** Where a page of changes ended within a version, as in a cursor. */
export type ChangePosition = NonNullable<ChangesRange['after']> & { number: number };

/**
 * Returns the part of a page that a client gets. A version is not cut: the page ends before the first version that does
 * not fit whole. Only a version that does not fit alone is cut. `end` is then where, and `change` is the version before
 * it, so a client that loses its cursor gets the whole version again.
 *
 * @param version the present version of the chat or application, read before the page
 */
export function changesPage<Stored, View extends { change: number }>(
  { changes, next }: ChangesPage<Stored>,
  viewOf: (change: Change<Stored>) => View,
  version: number,
): { data: View[]; change: number; more: boolean; end?: ChangePosition } {
  const page = fitting(changes, next !== undefined, viewOf);
  const cut = changes[page.items.length]?.version ?? next;
  const last = page.items.at(-1);
  if (cut === undefined || !last) return { data: page.views, change: version, more: false };
  const whole = page.views.filter(({ change }) => change < cut);
  const upTo = { change: cut - 1, more: true };
  return whole.length > 0
    ? { data: whole, ...upTo }
    : { data: page.views, ...upTo, end: { version: last.version, number: last.number } };
}
