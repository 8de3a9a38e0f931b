import { Access } from '../../lib/access/access.ts';
import { AccessTokens } from '../../lib/access/access-tokens.ts';
import { limits } from '../../lib/limits.ts';
import { ledgerReads } from './ledger-reads.ts';
import { provider } from './provider.ts';
import { systemSecret, systemSecretVariables } from './system-secret.ts';

/** Access tokens that are sealed with the system secret. A function starts without waiting for the secret. */
export const access = provider({
  variables: { ...systemSecretVariables, ...ledgerReads.variables },
  create: async (environment) =>
    new Access({
      tokens: new AccessTokens(systemSecret(environment)),
      ledger: await ledgerReads.create(environment),
      keptMs: limits.accessToken.keptMs,
    }),
});
