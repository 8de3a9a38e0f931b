import { inject } from 'vitest';
import { credentials } from '../../../tools/stack/credentials.ts';

/** The servers that tests of the AWS engine use, which test/support/runner/stack.ts brings up. */
export const awsServices = inject('stack');

/** Settings for the clients of the AWS SDK. */
export const awsClientSettings = {
  endpoint: awsServices.awsEndpoint,
  region: credentials.AWS_REGION,
  credentials: { accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY },
};
