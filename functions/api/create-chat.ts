import { operation } from '../runtime/http/operation.ts';
import { chatView } from './shared/views.ts';

export const createChat = operation('createChat', async ({ params, body: content, key, requestId }, { ledger }) => {
  const { number, at } = await ledger.createChat(params.token, content, { key, requestId });
  return {
    json: chatView({ number, ...content, messagesCount: 0, createdAt: at, updatedAt: at }),
    headers: { location: `chats/${number}` },
  };
});
