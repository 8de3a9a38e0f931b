import { inList } from '../runtime/http/lists.ts';
import { pagedOperation } from '../runtime/http/operation.ts';
import { matchPosition } from '../runtime/http/positions.ts';
import { matchView, totals } from './shared/matches.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { requireChat } from './shared/parents.ts';

export const searchChat = pagedOperation('searchChat', inList(matchPosition), async (request, services) => {
  const { token, chat_number: chat } = request.params;
  const { q, limit } = request.query;
  const { list, from: after } = request;
  await requireChat(services, token, chat);
  const found = await services.searchIndex.search({ token, chat, q, limit, ...(after && { after }) });

  const page = fitting(found.matches, found.more, (match) => matchView(match, q));
  const last = page.items.at(-1);
  const next = page.more && last ? await services.cursors.encode(list, [last.createdAt, last.chat, last.number]) : null;
  return pageResponse({ data: page.views, next, ...totals(found) }, request.pageAt);
});
