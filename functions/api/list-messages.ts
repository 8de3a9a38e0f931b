import { limits } from '../../lib/limits.ts';
import { inList } from '../runtime/http/lists.ts';
import { pagedOperation } from '../runtime/http/operation.ts';
import { numberPosition } from '../runtime/http/positions.ts';
import { requireMessages } from './shared/messages.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { coveredWindow, pendingWindow } from './shared/pending-window.ts';
import { listRangeOf } from './shared/ranges.ts';
import { messageView } from './shared/views.ts';

export const listMessages = pagedOperation('listMessages', inList(numberPosition), async (request, services) => {
  const { params, query, list, pageAt } = request;
  const { token, chat_number: chat } = params;
  const [from] = request.from ?? [];
  const { rows, more } = await requireMessages(services, { token, chat }, listRangeOf(query, from));

  const page = fitting(rows, more, messageView);
  const covered = coveredWindow(page.views, query, from);
  if (!covered) return pageResponse({ data: [], next: null, pending: [] }, pageAt);
  const { first, last } = covered;
  const maxPending = limits.pendingNumbers;
  const listed = page.views.map(({ number }) => number);
  const missing = await services.store.missingNumbers(
    { token, chat, from: first, to: last },
    { max: maxPending + 1, listed },
  );

  const window = pendingWindow({ items: page.views, first, last, more: page.more, maxPending }, missing);
  const next = window.more ? await services.cursors.encode(list, [window.last]) : null;
  return pageResponse({ data: window.items, next, pending: window.pending }, pageAt);
});
