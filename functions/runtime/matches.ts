import * as z from 'zod/mini';
import { highlight } from '../../lib/search/highlight.ts';
import type { SearchMatch, SearchPage } from '../../lib/search/search-index.ts';
import { messageView } from './views.ts';

/** A match's place in the order newest first, as cursors hold it. */
export const matchPosition = z.pipe(
  z.tuple([z.int(), z.int(), z.int()]),
  z.transform(([createdAt, chat, number]) => ({ createdAt, chat, number })),
);

export const matchView = (match: SearchMatch, q: string) => ({
  ...messageView(match),
  highlight: highlight(match.body, q),
});

export const totals = ({ total, totalIsMinimum }: SearchPage) => ({
  total,
  ...(totalIsMinimum && { total_is_minimum: true }),
});
