import { operation } from '../runtime/http/operation.ts';
import { messageView } from './shared/views.ts';

export const createMessage = operation(
  'createMessage',
  async ({ params, body: { body }, key, requestId }, { ledger }) => {
    const { token, chat_number } = params;
    const { first: number, at } = await ledger.createMessages(token, chat_number, [body], key, requestId);
    return {
      json: messageView({ number, body, createdAt: at, updatedAt: at }),
      headers: { location: `messages/${number}` },
    };
  },
);
