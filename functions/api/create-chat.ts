import { operation } from '../runtime/http/operation.ts';
import { chatView } from './shared/views.ts';

export const createChat = operation('createChat', async ({ params, body: { name }, key, requestId }, { ledger }) => {
  const { number, at } = await ledger.createChat(params.token, name, { key, requestId });
  return {
    json: chatView({ number, name, messagesCount: 0, createdAt: at, updatedAt: at }),
    headers: { location: `chats/${number}` },
  };
});
