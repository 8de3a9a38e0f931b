import { listOf } from '../runtime/http/lists.ts';
import { operation } from '../runtime/http/operation.ts';
import { numberPosition } from '../runtime/http/positions.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { requireApplication } from './shared/parents.ts';
import { listRangeOf } from './shared/ranges.ts';
import { chatView } from './shared/views.ts';

export const listChats = operation('listChats', async (request, services) => {
  const {
    params: { token },
    query,
    holder,
    pageAt,
  } = request;
  const chats = holder?.chats ?? null;
  // A holder of some chats has a list of its own, so a cursor does not lead from one list to another.
  const list = [...listOf('listChats', request), ...(chats ? [chats.toSorted((a, b) => a - b)] : [])];
  const [from] = (await services.cursors.decode(list, query.cursor, numberPosition)) ?? [];
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
