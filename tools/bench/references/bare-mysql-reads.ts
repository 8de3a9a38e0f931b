import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createPool, type RowDataPacket } from 'mysql2/promise';
import { type Row, viewOf } from './message-view.ts';

// The minimum that a function must do to read messages: the statement of lib/store/sql/sql-store.ts through a pool of
// mysql2, and the same JSON, without any checks.

const pool = createPool({
  uri: process.env.BARE_MYSQL_URL as string,
  connectionLimit: 2,
  charset: 'utf8mb4_bin',
  supportBigNumbers: true,
});
const columns = 'number, sender, body, metadata, created_at, updated_at, revision, metadata_revision';
const existing = `deleted = 0 AND created_at IS NOT NULL AND EXISTS (SELECT 1 AS one FROM chats
  INNER JOIN applications ON applications.token = chats.token WHERE chats.token = ? AND chats.number = ?
  AND chats.deleted = 0 AND chats.created_at IS NOT NULL AND applications.deleted = 0)`;
const one = `SELECT ${columns} FROM messages WHERE token = ? AND chat = ? AND number = ? AND ${existing}`;
const page = `SELECT ${columns} FROM messages WHERE token = ? AND chat = ? AND number > 0 AND ${existing}
  ORDER BY number ASC LIMIT ?`;

type StoredRow = Row & RowDataPacket;

export async function handler(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  const { token, chat_number: chat, message_number: number } = event.pathParameters ?? {};
  const key = [token, Number(chat)];
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(await read()) };

  async function read() {
    if (number !== undefined) {
      const [rows] = await pool.query<StoredRow[]>(one, [...key, Number(number), ...key]);
      return viewOf(rows[0] as StoredRow);
    }
    // One row more than the page has, which tells whether there is another page.
    const limit = Number(event.queryStringParameters?.limit);
    const [rows] = await pool.query<StoredRow[]>(page, [...key, ...key, limit + 1]);
    return {
      data: rows.slice(0, limit).map(viewOf),
      next: rows.length > limit ? rows[limit - 1]?.number : null,
      pending: [],
    };
  }
}
