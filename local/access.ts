import { Access } from '../lib/access/access.ts';
import { AccessTokens } from '../lib/access/access-tokens.ts';
import type { Ledger } from '../lib/ledger/ledger.ts';
import { fixedSecret } from '../lib/system-secret.ts';

/**
 * How long a generation is kept after it was read, in milliseconds. Reading it takes 3 µs of the 80 µs of a create, and
 * a reader process has to request it from the accepting thread. So access tokens end within a second in this engine.
 */
const keptMs = 1_000;

/** Returns what makes and checks access tokens in the embedded engine. */
export const openAccess = (systemSecret: string, ledger: Pick<Ledger, 'accessGeneration'>): Access =>
  new Access({ tokens: new AccessTokens(fixedSecret(systemSecret)), ledger, keptMs });
