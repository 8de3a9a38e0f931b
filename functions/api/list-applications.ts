import { inList } from '../runtime/http/lists.ts';
import { pagedOperation } from '../runtime/http/operation.ts';
import { applicationPosition } from '../runtime/http/positions.ts';
import { fitting, pageResponse } from './shared/pages.ts';
import { applicationView } from './shared/views.ts';

export const listApplications = pagedOperation(
  'listApplications',
  inList(applicationPosition),
  async (request, { store, cursors }) => {
    const { list, from: after } = request;
    const { order, limit } = request.query;
    const { rows, more } = await store.applications({ after, order, limit });

    const page = fitting(rows, more, applicationView);
    const last = page.items.at(-1);
    const next = page.more && last ? await cursors.encode(list, [last.createdAt, last.token]) : null;
    return pageResponse({ data: page.views, next }, request.pageAt);
  },
);
