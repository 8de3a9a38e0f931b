import { inList } from '../runtime/http/lists.ts';
import { pagedOperation } from '../runtime/http/operation.ts';
import { matchPosition } from '../runtime/http/positions.ts';
import { matchView, totals } from './shared/matches.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { requireApplication } from './shared/parents.ts';

export const searchApplication = pagedOperation(
  'searchApplication',
  inList(matchPosition),
  async (request, services) => {
    const { token } = request.params;
    const { q, limit } = request.query;
    const { list, from: after } = request;
    await requireApplication(services, token);
    const found = await services.searchIndex.search({ token, q, limit, ...(after && { after }) });

    const page = fitting(found.matches, found.more, (match) => ({ chat_number: match.chat, ...matchView(match, q) }));
    const last = page.items.at(-1);
    const next =
      page.more && last ? await services.cursors.encode(list, [last.createdAt, last.chat, last.number]) : null;
    // The documents of a deleted chat are purged in the background; until then they are left out here.
    const existing = await services.store.existingChats(token, [...new Set(page.items.map(({ chat }) => chat))]);
    const data = page.views.filter((match) => existing.has(match.chat_number));
    return pageResponse({ data, next, ...totals(found) }, request.pageAt);
  },
);
