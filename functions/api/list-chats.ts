import * as z from 'zod/mini';
import { decodeCursor, encodeCursor } from '../../lib/api/cursors.ts';
import { operation } from '../runtime/http.ts';
import { fitting, pageAnswer } from '../runtime/pages.ts';
import { requireApplication } from '../runtime/parents.ts';
import { rangeOf } from '../runtime/ranges.ts';
import { chatView } from '../runtime/views.ts';

export const listChats = operation('listChats', async ({ params: { token }, query, pageAt }, services) => {
  const list = ['listChats', token, query.order, query.after ?? null, query.before ?? null];
  const [from] = decodeCursor(list, query.cursor, z.tuple([z.int()])) ?? [];
  await requireApplication(services, token);
  const { rows, more } = await services.store.chats(token, rangeOf(query, from));

  const page = fitting(rows, more);
  const last = page.items.at(-1);
  const next = page.more && last ? encodeCursor(list, [last.number]) : null;
  return pageAnswer({ data: page.items.map(chatView), next }, pageAt);
});
