import { operation } from '../runtime/http/operation.ts';
import { messageView } from './shared/views.ts';

export const createMessages = operation('createMessages', async ({ params, body, key, requestId }, { ledger }) => {
  const chat = { token: params.token, chat: params.chat_number };
  const contents = body.messages;
  const { first, at } = await ledger.createMessages(chat, contents, { key, requestId });
  return {
    json: {
      data: contents.map((content, i) => messageView({ number: first + i, content, createdAt: at, updatedAt: at })),
    },
  };
});
