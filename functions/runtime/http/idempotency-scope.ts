import type { Route } from '../../../lib/api/routes.ts';
import { limits } from '../../../lib/limits.ts';
import type { Holder } from '../../../lib/model/holder.ts';

/** The callers that share the Idempotency-Keys of a route. */
export interface IdempotencyScope {
  /** Identifies the scope of a caller, besides the operation and the path. Only a hash of it is stored. */
  identityOf(holder: Holder | undefined): unknown[];
  /** Returns what is wrong with a key in this scope. */
  faultOf(key: string): string | undefined;
}

/**
 * Returns the scope of a route's keys. Below an application, callers with the application's token share a scope, and so
 * do access tokens of the same sender. So a client with a renewed access token can still retry, and nobody gets the
 * response of another sender. For the creation of an application, each admin key has its own scope. Without an admin
 * key, all callers share one scope. The key must then be hard to guess, because a caller who guesses it receives the
 * token of another caller's application.
 */
export const idempotencyScope = (route: Route, adminKey: string | undefined): IdempotencyScope => ({
  identityOf: (holder) => {
    if (holder) return [{ sender: holder.sender }];
    return route.admin && adminKey ? [adminKey] : [];
  },
  faultOf: (key) => (route.admin && !adminKey && isGuessable(key) ? guessable : undefined),
});

const { length, characters } = limits.unguessableKey;
const isGuessable = (key: string): boolean => key.length < length || new Set(key).size < characters;
const guessable = `must be hard to guess while no admin key is set, such as a UUID: at least ${length} characters, ${characters} of them different`;
