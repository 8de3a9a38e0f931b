import type * as z from 'zod/mini';
import type { Cursors } from '../../../lib/api/cursors.ts';
import { limits } from '../../../lib/limits.ts';
import type { Change, ChangesPage, ChangesRange, ChatState, Step } from '../../../lib/store/changes.ts';
import type { StoredMessage } from '../../../lib/store/reads.ts';
import type { CursorRules, PageStart } from '../../runtime/http/lists.ts';
import { changePosition } from '../../runtime/http/positions.ts';
import { changesPage } from './changes-page.ts';
import { chatStateView, messageView } from './views.ts';

// The JSON of changes, for pages of changes and for followers. A deleted message or chat has only its number left.

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
  return Buffer.byteLength(whole) <= limits.stepBytes ? whole : truncatedStepJson(step);
}

/** Returns the JSON that followers get for a version that is too large to be sent to them. */
export const truncatedStepJson = ({ chat, version }: Pick<Step, 'chat' | 'version'>): string =>
  JSON.stringify({ ...(chat !== undefined && { chat_number: chat }), change: version, truncated: true });

/**
 * The rules for cursors of changes. A cursor is valid for the same `limit` only, because the limit decides whether a
 * version fits on one page. `after` is not part of the list, because the position in the cursor contains it, and
 * `changePosition` compares it.
 */
export const changeCursors: CursorRules<ReturnType<typeof changePosition>> = {
  list: (id, { params, query }) => [id, params, query.limit],
  position: ({ after }) => changePosition(after),
};

/** What the two lists of changes do differently. */
interface ChangesList<Stored, View> {
  request: { query: { after?: number | undefined; limit: number } } & PageStart<
    z.output<ReturnType<typeof changePosition>>
  >;
  cursors: Cursors;
  /** Returns the current version. @throws NotFound */
  version: () => Promise<number>;
  page: (range: ChangesRange) => Promise<ChangesPage<Stored>>;
  viewOf: (change: Change<Stored>) => View;
}

/** Returns the response of a list of changes. */
export async function changesResponse<Stored, View extends { change: number }>({
  request: { query, list, from },
  cursors,
  ...changes
}: ChangesList<Stored, View>) {
  const { after, limit } = query;
  // The version is read before the page: what changes in between has a later version, and belongs to the next page.
  const version = await changes.version();
  if (after === undefined || after >= version) return { json: { data: [], change: version, more: false } };
  const found = await changes.page({ after: from ?? { version: after }, upTo: version, limit });
  const { end, ...page } = changesPage(found, changes.viewOf, version);
  return { json: { ...page, ...(end && { cursor: await cursors.encode(list, [after, ...end]) }) } };
}
