import { operation } from '../runtime/http.ts';
import { listOf } from '../runtime/lists.ts';
import { matchView, totals } from '../runtime/matches.ts';
import { fitting, pageAnswer } from '../runtime/pages.ts';
import { requireChat } from '../runtime/parents.ts';
import { matchPosition } from '../runtime/positions.ts';

export const searchChat = operation('searchChat', async (request, services) => {
  const { token, chat_number: chat } = request.params;
  const { q, limit, cursor } = request.query;
  const list = listOf('searchChat', request);
  const after = await services.cursors.decode(list, cursor, matchPosition);
  await requireChat(services, token, chat);
  const found = await services.searchIndex.search({ token, chat, q, limit, ...(after && { after }) });

  const page = fitting(found.matches, found.more, (match) => matchView(match, q));
  const last = page.items.at(-1);
  const next = page.more && last ? await services.cursors.encode(list, [last.createdAt, last.chat, last.number]) : null;
  return pageAnswer({ data: page.views, next, ...totals(found) }, request.pageAt);
});
