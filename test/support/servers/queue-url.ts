import { ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Returns the URL of the stack's queue of this construct, whose name ends with a hash. */
export async function queueUrl(sqs: SQSClient, construct: string): Promise<string> {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'ChatSystem-local-Data-' }));
  const urls = QueueUrls.filter((url) => new RegExp(`-${construct}(?!DeadLetters)[^/]*$`).test(url));
  if (!urls[0] || urls.length > 1) throw new Error(`${urls.length} queues are named ${construct}: ${QueueUrls}`);
  return urls[0];
}
