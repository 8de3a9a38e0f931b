import { contentOf } from '../../lib/model/content.ts';
import { operation } from '../runtime/http/operation.ts';
import { messageView } from './shared/views.ts';

export const createMessage = operation('createMessage', async ({ params, body, key, requestId }, { ledger }) => {
  const chat = { token: params.token, chat: params.chat_number };
  const content = contentOf(body);
  const { first: number, at } = await ledger.createMessages(chat, [content], { key, requestId });
  return {
    json: messageView({ number, content, createdAt: at, updatedAt: at }),
    headers: { location: `messages/${number}` },
  };
});
