import { Cursors } from '../../lib/api/cursors.ts';
import { provider } from './provider.ts';
import { systemSecret, systemSecretVariables } from './system-secret.ts';

/** Cursors that are signed with the system secret. A function starts without waiting for the secret. */
export const cursors = provider({
  variables: systemSecretVariables,
  create: (environment) => new Cursors(systemSecret(environment)),
});
