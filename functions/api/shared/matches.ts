import type { SearchMatch, SearchPage } from '../../../lib/search/search-index.ts';
import { highlight } from '../../../lib/search/text/highlight.ts';
import { messageView } from './views.ts';

export const matchView = (match: SearchMatch, q: string) => ({
  ...messageView(match),
  highlight: highlight(match.content.body, q),
});

export const totals = ({ total, totalIsMinimum }: SearchPage) => ({
  total,
  ...(totalIsMinimum && { total_is_minimum: true as const }),
});
