import * as z from 'zod/mini';
import { isNumber, isTime } from '../../../lib/model/bounds.ts';
import { isToken } from '../../../lib/model/token.ts';

// The members of positions in cursors, each with its range. They are checked even in authentic cursors, so that a fault
// in making cursors cannot become a query outside of its list.

const number = () => z.number().check(z.refine(isNumber));
const time = () => z.number().check(z.refine(isTime));
const token = () => z.string().check(z.refine(isToken));

/** The place of a chat or message in a list by number. */
export const numberPosition = z.tuple([number()]);

/** The place of an application in the order of creation. */
export const applicationPosition = z.pipe(
  z.tuple([time(), token()]),
  z.transform(([createdAt, token]) => ({ createdAt, token })),
);

/** The place of a match in the order newest first. */
export const matchPosition = z.pipe(
  z.tuple([time(), number(), number()]),
  z.transform(([createdAt, chat, number]) => ({ createdAt, chat, number })),
);
