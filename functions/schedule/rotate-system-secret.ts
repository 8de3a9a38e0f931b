import { randomBytes } from 'node:crypto';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { withNewKey } from '../../lib/system-secret-text.ts';
import type { LambdaHandler } from '../runtime/lambda.ts';
import type { RotationServices } from '../runtime/services.ts';

/** Of a key: 256 random bits. */
const keyBytes = 32;

/**
 * Every month, on AWS: puts a new key in front of the system secret. Secrets Manager calls it four times, once for each
 * step. The first step does everything at once, because the time from which the new key signs counts from the moment in
 * which functions can read it; nothing else has to learn the key, so the other steps have nothing to do.
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
