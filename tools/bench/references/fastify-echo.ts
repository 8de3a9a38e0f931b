import { isUtf8 } from 'node:buffer';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

// The minimum that a Node.js server must do with a message: Fastify reads the body, this handler parses it as ours
// does, and the response looks like ours.

const server = fastify();
server.removeAllContentTypeParsers();
server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
server.post<{ Body: Buffer }>('/*', (request, reply) => {
  if (!isUtf8(request.body)) throw new Error('The body is not UTF-8');
  const { body } = JSON.parse(request.body.toString()) as { body: string };
  const at = '2026-01-01T00:00:00.000Z';
  reply.code(201).send({ number: 1, body, created_at: at, updated_at: at });
});
// As many connections may wait to be accepted as at our server.
await server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
process.send?.((server.server.address() as AddressInfo).port);
