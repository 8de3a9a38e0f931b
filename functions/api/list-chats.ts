import { inList } from '../runtime/http/lists.ts';
import { pagedOperation } from '../runtime/http/operation.ts';
import { numberPosition } from '../runtime/http/positions.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { requireApplication } from './shared/parents.ts';
import { listRangeOf } from './shared/ranges.ts';
import { chatView } from './shared/views.ts';

export const listChats = pagedOperation('listChats', inList(numberPosition), async (request, services) => {
  const {
    params: { token },
    query,
    holder,
    list,
    pageAt,
  } = request;
  const chats = holder?.chats ?? null;
  const [from] = request.from ?? [];
  await requireApplication(services, token);
  const { rows, more } = await services.store.chats(token, {
    ...listRangeOf(query, from),
    ...(chats && { only: chats }),
  });

  const page = fitting(rows, more, chatView);
  const last = page.items.at(-1);
  const next = page.more && last ? await services.cursors.encode(list, [last.number]) : null;
  return pageResponse({ data: page.views, next }, pageAt);
});
