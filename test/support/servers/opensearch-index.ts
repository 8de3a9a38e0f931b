import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { openOpensearch } from '../../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../../lib/search/opensearch/migration.ts';
import { awsServices } from './aws-services.ts';

/** Returns a new alias and an operator's client. `remove` deletes everything that was created for it. */
export function newAlias() {
  const alias = `test-${randomUUID()}`;
  const client = openOpensearch(awsServices.opensearchUrl);
  return {
    alias,
    client,
    remove: async () => {
      await client.indices.delete({ index: `${alias}-*` });
      await client.indices.deleteIndexTemplate({ name: alias }, { ignore: [404] });
      await client.close();
    },
  };
}

/** Returns the same with its index. */
export async function newIndex() {
  const made = newAlias();
  await migrateOpensearch(made.client, made.alias);
  return made;
}

/** Opens an OpenSearch proxy. A test can replace its responses with ones that a healthy server does not return. */
export async function openRefusingOpensearch() {
  const way = {
    url: '',
    /** If set, the response to every bulk and search, instead of the server's own. */
    answer: undefined as { status: number; body: unknown } | undefined,
    /** The size of each bulk in bytes. */
    sizes: [] as number[],
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const body = await buffer(request);
    const isBulk = url?.includes('/_bulk') ?? false;
    if (isBulk) way.sizes.push(body.length);
    const { status, body: answer } = (url?.startsWith('/_alias') ? undefined : way.answer) ?? (await forward());
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));

    async function forward() {
      const real = await fetch(`${awsServices.opensearchUrl.replace(/\/$/, '')}${url}`, {
        method: method as string,
        headers: { 'content-type': headers['content-type'] ?? 'application/json' },
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      });
      return { status: real.status, body: await real.json() };
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  way.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return way;
}
