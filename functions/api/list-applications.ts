import * as z from 'zod/mini';
import { decodeCursor, encodeCursor } from '../../lib/api/cursors.ts';
import { operation } from '../runtime/http.ts';
import { fitting, pageAnswer } from '../runtime/pages.ts';
import { applicationView } from '../runtime/views.ts';

const position = z.tuple([z.int(), z.string()]);

export const listApplications = operation('listApplications', async ({ query, pageAt }, { store }) => {
  const { order, limit } = query;
  const list = ['listApplications', order];
  const from = decodeCursor(list, query.cursor, position);
  const after = from && { createdAt: from[0], token: from[1] };
  const { rows, more } = await store.applications({ after, order, limit });

  const page = fitting(rows, more);
  const last = page.items.at(-1);
  const next = page.more && last ? encodeCursor(list, [last.createdAt, last.token]) : null;
  return pageAnswer({ data: page.items.map(applicationView), next }, pageAt);
});
