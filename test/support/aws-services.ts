import * as z from 'zod';

/** The servers that tests of the AWS engine use; test/support/stack.ts brings them up and says where they are. */
export const awsServices = z
  .object({
    AWS_ENDPOINT_URL: z.url(),
    /** Of a user who may make databases and users, so that each test has its own, and end their connections. */
    MYSQL_URL: z.url(),
    OPENSEARCH_URL: z.url(),
  })
  .parse(process.env);

/** For the clients of the AWS SDK; an emulator takes any credentials. */
export const awsClientSettings = {
  endpoint: awsServices.AWS_ENDPOINT_URL,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
