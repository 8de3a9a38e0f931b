import { decodeCursor, encodeCursor } from '../../lib/api/cursors.ts';
import { operation } from '../runtime/http.ts';
import { matchPosition, matchView, totals } from '../runtime/matches.ts';
import { fitting, pageAnswer } from '../runtime/pages.ts';
import { requireChat } from '../runtime/parents.ts';

export const searchChat = operation('searchChat', async ({ params, query: { q, limit, cursor }, pageAt }, services) => {
  const { token, chat_number: chat } = params;
  const list = ['searchChat', token, chat, q];
  const after = decodeCursor(list, cursor, matchPosition);
  await requireChat(services, token, chat);
  const found = await services.searchIndex.search({ token, chat, q, limit, ...(after && { after }) });

  const page = fitting(
    found.matches.map((match) => matchView(match, q)),
    found.more,
  );
  const last = found.matches[page.items.length - 1];
  const next = page.more && last ? encodeCursor(list, [last.createdAt, last.chat, last.number]) : null;
  return pageAnswer({ data: page.items, next, ...totals(found) }, pageAt);
});
