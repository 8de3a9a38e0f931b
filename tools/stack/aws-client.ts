import { credentials } from './credentials.ts';

/** Timeouts in milliseconds. They are short because an emulator runs on this machine. */
const requestHandler = { connectionTimeout: 2_000, requestTimeout: 15_000 };

/** The settings of an AWS SDK client for the emulator. */
export const awsClient = (endpoint: string) => ({
  endpoint,
  region: credentials.AWS_REGION,
  credentials: { accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY },
  requestHandler,
});
