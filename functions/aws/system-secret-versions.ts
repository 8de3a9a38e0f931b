import { PutSecretValueCommand, ResourceExistsException, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import type { SystemSecretVersions } from '../runtime/services.ts';
import { callSettings } from './calls.ts';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** The versions of the secret SYSTEM_SECRET, for its rotation. */
export const systemSecretVersions = provider({
  variables: { SYSTEM_SECRET: z.string().check(z.minLength(1)) },
  create: ({ SYSTEM_SECRET }): SystemSecretVersions => {
    const client = new SecretsManagerClient(callSettings);
    return {
      current: () => readSecret(SYSTEM_SECRET),
      replace: async (version, text) => {
        try {
          await client.send(
            new PutSecretValueCommand({
              SecretId: SYSTEM_SECRET,
              ClientRequestToken: version,
              SecretString: text,
              VersionStages: ['AWSCURRENT', 'AWSPENDING'],
            }),
          );
        } catch (error) {
          // An earlier attempt of the same rotation has created the version, with another key, but its response came
          // too late.
          if (!(error instanceof ResourceExistsException)) throw error;
        }
      },
    };
  },
});
