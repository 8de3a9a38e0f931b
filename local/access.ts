import { Access } from '../lib/access/access.ts';
import { AccessTokens } from '../lib/access/access-tokens.ts';
import type { Ledger } from '../lib/ledger/ledger.ts';
import { fixedSecret } from '../lib/system-secret.ts';

/**
 * How long a generation is kept after it was read, in milliseconds. Reading it takes 3 of a create's 80 µs, and a reader
 * process asks the accepting thread for it. So access tokens end within a second here.
 */
const keptMs = 1_000;

/** Returns the access of the embedded engine. */
export const openAccess = (systemSecret: string, ledger: Pick<Ledger, 'accessGeneration'>): Access =>
  new Access({ tokens: new AccessTokens(fixedSecret(systemSecret)), ledger, keptMs });
