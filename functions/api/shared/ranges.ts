import type { Range } from '../../../lib/store/store.ts';

/** The stretch of a numbered list that a query asks for, from behind the cursor's number. */
export const rangeOf = ({ after, before, order, limit }: Range, from: number | undefined): Range =>
  order === 'asc' ? { after: from ?? after, before, order, limit } : { after, before: from ?? before, order, limit };
