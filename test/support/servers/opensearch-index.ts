import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { openOpensearch } from '../../../lib/search/opensearch/client.ts';
import { migrateOpensearch } from '../../../lib/search/opensearch/migration.ts';
import { awsServices } from './aws-services.ts';

/** An alias that nothing else uses, and the client of an operator; what is made of it goes in the end. */
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

/** The same with its index. */
export async function newIndex() {
  const made = newAlias();
  await migrateOpensearch(made.client, made.alias);
  return made;
}

/** OpenSearch with answers of the test's choice: what can't be had from a healthy server. */
export async function openRefusingOpensearch() {
  const way = {
    url: '',
    /** Given in place of the server's own answer to a bulk or a search, where it is set. */
    answer: undefined as { status: number; body: unknown } | undefined,
    /** Bytes of each bulk. */
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
