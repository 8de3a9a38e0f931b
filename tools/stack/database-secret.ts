import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { MysqlUser, MysqlUsers } from '../../lib/store/mysql/users.ts';
import { awsClient } from './aws-client.ts';

/** The name of the secret with the password of the database owner. */
export const databaseSecret = 'chat-system/mysql';

/** The names of the secrets of the users that a migration creates, see lib/store/mysql/users.ts. */
export const userSecrets = { reads: 'chat-system/mysql-reader', work: 'chat-system/mysql-worker' };

const userNames = { reads: 'chat_reader', work: 'chat_worker' };

/** Writes the password to the secret, as RDS does. Does nothing when the secret already has it. */
export async function ensureDatabaseSecret(endpoint: string, password: string): Promise<void> {
  const client = new SecretsManagerClient(awsClient(endpoint));
  const SecretString = JSON.stringify({ password });
  try {
    const kept = await read(client, databaseSecret);
    if (kept === undefined) await client.send(new CreateSecretCommand({ Name: databaseSecret, SecretString }));
    else if (kept !== SecretString)
      await client.send(new PutSecretValueCommand({ SecretId: databaseSecret, SecretString }));
  } finally {
    client.destroy();
  }
}

/** Creates missing secrets of the other users with random passwords, and returns the content of all of them. */
export async function ensureUserSecrets(endpoint: string): Promise<MysqlUsers> {
  const client = new SecretsManagerClient(awsClient(endpoint));
  const keep = async (use: keyof MysqlUsers): Promise<MysqlUser> => {
    const kept = await read(client, userSecrets[use]);
    if (kept !== undefined) {
      const { username, password } = userSecret.parse(JSON.parse(kept));
      return { user: username, password };
    }
    const made = { username: userNames[use], password: randomBytes(18).toString('base64url') };
    await client.send(new CreateSecretCommand({ Name: userSecrets[use], SecretString: JSON.stringify(made) }));
    return { user: made.username, password: made.password };
  };
  try {
    return { reads: await keep('reads'), work: await keep('work') };
  } finally {
    client.destroy();
  }
}

const userSecret = z.object({ username: z.string(), password: z.string() });

async function read(client: SecretsManagerClient, id: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
