import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import fastify from 'fastify';
import { type Row, viewOf } from './message-view.ts';

// The minimum that a Node.js server must do to read messages: Fastify, one prepared statement, and the same JSON as ours.

const [storePath] = process.argv.slice(2);
if (!storePath) throw new Error('The path of store.db is missing');
const database = new DatabaseSync(storePath, { readOnly: true });
database.exec('PRAGMA cache_size = -16000');
const columns = 'number, sender, body, metadata, created_at, updated_at';
const one = database.prepare(`SELECT ${columns} FROM messages WHERE token = ? AND chat = ? AND number = ?`);
const page = database.prepare(`SELECT ${columns} FROM messages
  WHERE token = ? AND chat = ? AND deleted = 0 AND created_at IS NOT NULL ORDER BY number LIMIT ?`);

const server = fastify();
const chat = '/v1/applications/:token/chats/:chat';
server.get<{ Params: { token: string; chat: string; number: string } }>(
  `${chat}/messages/:number`,
  (request, reply) => {
    const { token, chat, number } = request.params;
    reply.send(viewOf(one.get(token, Number(chat), Number(number)) as unknown as Row));
  },
);
server.get<{ Params: { token: string; chat: string }; Querystring: { limit: string } }>(
  `${chat}/messages`,
  (request, reply) => {
    const { token, chat } = request.params;
    const rows = page.all(token, Number(chat), Number(request.query.limit)) as unknown as Row[];
    reply.send({ data: rows.map(viewOf), next: null, pending: [] });
  },
);
await server.listen({ port: 0, host: '127.0.0.1' });
process.send?.((server.server.address() as AddressInfo).port);
