import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

// The least that a Node.js server can do with a message: Fastify parses the body, and the answer looks like ours.

const server = fastify();
server.post<{ Body: { body: string } }>('/*', (request, reply) => {
  const at = '2026-01-01T00:00:00.000Z';
  reply.code(201).send({ number: 1, body: request.body.body, created_at: at, updated_at: at });
});
await server.listen({ port: 0, host: '127.0.0.1' });
process.send?.((server.server.address() as AddressInfo).port);
