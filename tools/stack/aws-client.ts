import { credentials } from './credentials.ts';

/** Longest times in milliseconds; an emulator is on this machine. */
const requestHandler = { connectionTimeout: 2_000, requestTimeout: 15_000 };

/** For the clients of the AWS SDK. */
export const awsClient = (endpoint: string) => ({
  endpoint,
  region: credentials.AWS_REGION,
  credentials: { accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY },
  requestHandler,
});
