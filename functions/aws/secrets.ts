import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { callSettings } from './calls.ts';

/** Returns the text of a secret. `id` is its name or ARN. */
export async function readSecret(id: string): Promise<string> {
  const client = new SecretsManagerClient(callSettings);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  if (!SecretString) throw new Error(`The secret ${id} has no text`);
  return SecretString;
}
