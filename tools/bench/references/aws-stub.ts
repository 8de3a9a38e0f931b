import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

// Responds to the calls of a create and of a read like DynamoDB, SQS and Secrets Manager, and does nothing else. It is not an engine for tests.
// The benchmark uses it to measure a function at thousands of calls per second; an emulator serves only 50.

const counted = JSON.stringify({
  Attributes: {
    pk: { S: 'Q2lDXdH2R2GfSqkhVYzhGg/1' },
    sk: { S: 'chat' },
    name: { NULL: true },
    revision: { N: '0' },
    created_at: { N: '1795252200123' },
    updated_at: { N: '1795252200123' },
    claims: { M: {} },
    messages: { N: '1042' },
  },
});

// The texts of the secrets: the login of the database, and the system secret.
const [databaseSecret, systemSecret] = process.argv.slice(2);

const application = { pk: { S: 'Q2lDXdH2R2GfSqkhVYzhGg' }, sk: { S: 'application' } };

/** Returns the application's item, whatever the table is called. */
const read = ({ RequestItems }: { RequestItems: object }): string =>
  JSON.stringify({ Responses: Object.fromEntries(Object.keys(RequestItems).map((table) => [table, [application]])) });

interface Batch {
  Entries: { Id: string; MessageBody: string }[];
}

/** Returns the response to a sent batch. The SDK compares the digests with its own. */
const sent = ({ Entries }: Batch): string =>
  JSON.stringify({
    Successful: Entries.map(({ Id, MessageBody }) => ({
      Id,
      MessageId: randomUUID(),
      MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
    })),
  });

async function bodyFor(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = await request.toArray();
  const body = () => JSON.parse(Buffer.concat(chunks).toString());
  switch (request.headers['x-amz-target']) {
    case 'DynamoDB_20120810.UpdateItem':
      return counted;
    case 'AmazonSQS.SendMessageBatch':
      return sent(body());
    case 'DynamoDB_20120810.BatchGetItem':
      return read(body());
    case 'secretsmanager.GetSecretValue':
      return JSON.stringify({ SecretString: body().SecretId === 'database' ? databaseSecret : systemSecret });
  }
}

const server = createServer(async (request, response) => {
  const body = await bodyFor(request);
  response.writeHead(body ? 200 : 400, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
