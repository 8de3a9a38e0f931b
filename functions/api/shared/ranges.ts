import type { ListRange } from '../../../lib/store/reads.ts';

/** Returns the range of a numbered list that a query selects, starting after `from`, the number in its cursor. */
export const listRangeOf = ({ after, before, order, limit }: ListRange, from: number | undefined): ListRange =>
  order === 'asc' ? { after: from ?? after, before, order, limit } : { after, before: from ?? before, order, limit };
