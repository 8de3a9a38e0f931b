import { operation } from '../runtime/http/operation.ts';
import { messageView } from './shared/views.ts';

export const createMessages = operation(
  'createMessages',
  async ({ params, body: { messages }, key, requestId }, { ledger }) => {
    const bodies = messages.map(({ body }) => body);
    const { first, at } = await ledger.createMessages(params.token, params.chat_number, bodies, key, requestId);
    return {
      json: { data: bodies.map((body, i) => messageView({ number: first + i, body, createdAt: at, updatedAt: at })) },
    };
  },
);
