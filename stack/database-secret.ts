import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { awsClient } from './aws-client.ts';

/** The secret that functions read the password of the database from. */
export const databaseSecret = 'chat-system/mysql';

/** Writes the password into the secret, as RDS does; changes nothing when it is there. */
export async function keepDatabaseSecret(endpoint: string, password: string): Promise<void> {
  const client = new SecretsManagerClient(awsClient(endpoint));
  const SecretString = JSON.stringify({ password });
  try {
    const kept = await client.send(new GetSecretValueCommand({ SecretId: databaseSecret }));
    if (kept.SecretString !== SecretString)
      await client.send(new PutSecretValueCommand({ SecretId: databaseSecret, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateSecretCommand({ Name: databaseSecret, SecretString }));
  } finally {
    client.destroy();
  }
}
