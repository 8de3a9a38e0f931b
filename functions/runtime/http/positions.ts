import * as z from 'zod/mini';
import { isNumber, isTime, isVersion } from '../../../lib/model/bounds.ts';
import { isToken } from '../../../lib/model/token.ts';

// The members of the positions in cursors, with their ranges. They are checked in authentic cursors too, so that a bug
// in encoding cursors cannot cause a query outside the list.

const number = () => z.number().check(z.refine(isNumber));
const version = () => z.number().check(z.refine(isVersion));
/** A version, or 0 before the first. */
const anyVersion = () => z.number().check(z.refine((value) => value === 0 || isVersion(value)));
const time = () => z.number().check(z.refine(isTime));
const token = () => z.string().check(z.refine(isToken));

/** The position of a chat or message in a list by number. */
export const numberPosition = z.tuple([number()]);

/** The position of an application in the order of creation. */
export const applicationPosition = z.pipe(
  z.tuple([time(), token()]),
  z.transform(([createdAt, token]) => ({ createdAt, token })),
);

/** The position of a match in the order newest first. */
export const matchPosition = z.pipe(
  z.tuple([time(), number(), number()]),
  z.transform(([createdAt, chat, number]) => ({ createdAt, chat, number })),
);

/**
 * The position of the last change on a page that ended within a version: the `after` of the request for that page, the
 * version, and the number of the change. The request for the next page may pass that `after` or any higher one that is
 * less than the version. The list is the same for all of these, because no version in between has changes.
 */
export const changePosition = (after: number | undefined) =>
  z.pipe(
    z
      .tuple([anyVersion(), version(), number()])
      .check(z.refine(([first, version]) => after !== undefined && first <= after && after < version)),
    z.transform(([, version, number]) => ({ version, number })),
  );
