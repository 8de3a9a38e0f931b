import { randomUUID } from 'node:crypto';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cursors } from '../../functions/aws/cursors.ts';
import { bind } from '../../functions/aws/provider.ts';
import { readSecret } from '../../functions/aws/secrets.ts';
import { systemSecretVersions } from '../../functions/aws/system-secret-versions.ts';
import { numberPosition } from '../../functions/runtime/http/positions.ts';
import { rotateSystemSecret } from '../../functions/schedule/rotate-system-secret.ts';
import { systemKeysIn } from '../../lib/system-secret-text.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { credentials } from '../../tools/stack/credentials.ts';
import { awsClientSettings, awsServices } from '../support/servers/aws-services.ts';

const client = new SecretsManagerClient(awsClientSettings);
const secret = `test/${randomUUID()}`;
beforeAll(async () => {
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: awsServices.awsEndpoint });
  // The form in which CloudFormation creates the secret.
  await client.send(new CreateSecretCommand({ Name: secret, SecretString: JSON.stringify({ key: 'k'.repeat(43) }) }));
});
afterAll(async () => {
  await client.send(new DeleteSecretCommand({ SecretId: secret, ForceDeleteWithoutRecovery: true }));
  client.destroy();
});

test('after a rotation earlier cursors are valid, and functions that start sign with the previous key for a while', async () => {
  const environment = { SYSTEM_SECRET: secret };
  const list = ['listChats', { token: 'token' }, {}];
  const before = (await bind({ cursors }, environment)).cursors;
  const cursor = await before.encode(list, [7]);

  const rotate = rotateSystemSecret(await bind({ systemSecretVersions }, environment));
  const event = { SecretId: secret, ClientRequestToken: randomUUID() };
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const)
    await rotate({ ...event, Step }, lambdaContext('rotation'));
  const keys = systemKeysIn(await readSecret(secret));
  expect(keys).toHaveLength(2);
  expect(keys[1]?.key).toBe('k'.repeat(43));

  const after = (await bind({ cursors }, environment)).cursors;
  expect(await after.encode(list, [7])).toBe(cursor);
  expect(await after.decode(list, cursor, numberPosition)).toEqual([7]);
});
