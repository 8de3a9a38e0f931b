import { operation } from '../runtime/http.ts';
import { listOf } from '../runtime/lists.ts';
import { fitting, pageAnswer } from '../runtime/pages.ts';
import { applicationPosition } from '../runtime/positions.ts';
import { applicationView } from '../runtime/views.ts';

export const listApplications = operation('listApplications', async (request, { store, cursors }) => {
  const { order, limit, cursor } = request.query;
  const list = listOf('listApplications', request);
  const after = await cursors.decode(list, cursor, applicationPosition);
  const { rows, more } = await store.applications({ after, order, limit });

  const page = fitting(rows, more, applicationView);
  const last = page.items.at(-1);
  const next = page.more && last ? await cursors.encode(list, [last.createdAt, last.token]) : null;
  return pageAnswer({ data: page.views, next }, request.pageAt);
});
