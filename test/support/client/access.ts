import { Access } from '../../../lib/access/access.ts';
import { AccessTokens } from '../../../lib/access/access-tokens.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { fixedSecret } from '../../../lib/system-secret.ts';
import { testSecret } from './cursors.ts';

/** Returns the access to the applications of a ledger, with access tokens that are sealed with the tests' secret. */
export const testAccess = (ledger: Pick<Ledger, 'accessGeneration'>): Access =>
  new Access({ tokens: new AccessTokens(fixedSecret(testSecret)), ledger, keptMs: 0 });

/** The access of tests whose requests have no bearer token. */
export const noAccess = testAccess({ accessGeneration: () => Promise.reject(new Error('nobody has a bearer token')) });
