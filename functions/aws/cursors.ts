import { Cursors } from '../../lib/api/cursors.ts';
import { provider } from './provider.ts';
import { systemSecret, systemSecretVariables } from './system-secret.ts';

/** Cursors that are signed with the system secret. A start does not wait for the secret. */
export const cursors = provider({
  variables: systemSecretVariables,
  create: (environment) => new Cursors(systemSecret(environment)),
});
