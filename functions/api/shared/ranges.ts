import type { Range } from '../../../lib/store/reads.ts';

/** Returns the range of a numbered list that a query selects, starting behind `from`, the number in its cursor. */
export const rangeOf = ({ after, before, order, limit }: Range, from: number | undefined): Range =>
  order === 'asc' ? { after: from ?? after, before, order, limit } : { after, before: from ?? before, order, limit };
