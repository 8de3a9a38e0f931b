import { randomBytes } from 'node:crypto';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { withNewKey } from '../../lib/system-secret-text.ts';
import type { LambdaHandler } from '../runtime/lambda.ts';
import type { RotationServices } from '../runtime/services.ts';

/** Length of a key in bytes: 256 random bits. */
const keyBytes = 32;

/**
 * Runs every month, on AWS only: adds a new key at the front of the system secret. Secrets Manager calls the function
 * four times, once for each step. The first step makes the new key current at once. The key signs only after a delay
 * (`limits.systemSecret.signsAfterMs`), and functions must be able to read it during the whole delay. Nothing else
 * needs to know the key, so the other steps do nothing.
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html)
 */
export const rotateSystemSecret =
  ({ systemSecretVersions }: RotationServices): LambdaHandler<SecretsManagerRotationEvent, void> =>
  async ({ Step, ClientRequestToken }) => {
    if (Step !== 'createSecret') return;
    const key = randomBytes(keyBytes).toString('base64url');
    const text = withNewKey(await systemSecretVersions.current(), key, Date.now());
    await systemSecretVersions.replace(ClientRequestToken, text);
  };
