import type { Access } from '../../../lib/access/access.ts';
import { accessTokenExpired, accessTokenInvalid, accessTokenRequired } from '../../../lib/api/problems.ts';
import type { Caller } from '../../../lib/model/holder.ts';
import { isToken } from '../../../lib/model/token.ts';

/** Replaces the application's token in a path when the header `Authorization` has a bearer token. */
export const self = 'self';

/**
 * The key under which the embedded host passes on the caller, because it checks the bearer token before it reads the
 * body. It is a symbol so that no event that Lambda parses from JSON can have it.
 */
export const verifiedCaller = Symbol('verifiedCaller');

/** The headers of a request, by their names in lower case. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Returns the bearer token of a request; undefined if it has none. */
export const bearerOf = ({ authorization }: Headers): string | undefined =>
  // The name of the scheme is case-insensitive (RFC 9110, section 11.1).
  /^Bearer +([^ ].*)$/i.exec(String(authorization ?? ''))?.[1];

/** The caller of a request for `self`, and the bearer token that the request has. */
export interface BearerCaller extends Caller {
  bearer: string;
}

/**
 * Returns who makes a request for `self`.
 *
 * @param inQuery the access token in the query, on a route that allows it there. The header wins. An application's token
 *   may only be in the header, because URLs are kept in more places than headers
 * @throws Problem access_token_required, access_token_invalid or access_token_expired; Unavailable; Throttled
 */
export async function callerOf(
  headers: Headers,
  access: Pick<Access, 'callerOf'>,
  inQuery?: string,
): Promise<BearerCaller> {
  const inHeader = bearerOf(headers);
  const bearer = inHeader ?? inQuery;
  if (bearer === undefined) throw accessTokenRequired();
  if (inHeader === undefined && isToken(bearer)) throw accessTokenInvalid();
  const caller = await access.callerOf(bearer);
  if (caller === 'invalid') throw accessTokenInvalid();
  if (caller === 'expired') throw accessTokenExpired();
  return { ...caller, bearer };
}
