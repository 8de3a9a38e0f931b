import { Access } from '../../../lib/access/access.ts';
import { AccessTokens } from '../../../lib/access/access-tokens.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { fixedSecret } from '../../../lib/system-secret.ts';
import { testSecret } from './cursors.ts';

/** Returns an `Access` that takes generations from this ledger and seals access tokens with the tests' secret. */
export const testAccess = (ledger: Pick<Ledger, 'accessGeneration'>): Access =>
  new Access({ tokens: new AccessTokens(fixedSecret(testSecret)), ledger, keptMs: 0 });

/** The `Access` for tests whose requests have no bearer token. It fails when it would query the ledger for one. */
export const noAccess = testAccess({ accessGeneration: () => Promise.reject(new Error('nobody has a bearer token')) });
