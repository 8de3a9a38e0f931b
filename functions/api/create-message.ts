import { operation } from '../runtime/http/operation.ts';
import { sentBy } from './shared/messages.ts';
import { messageView } from './shared/views.ts';

export const createMessage = operation(
  'createMessage',
  async ({ params, body, holder, key, requestId }, { ledger }) => {
    const content = sentBy(holder, body);
    const chat = { token: params.token, chat: params.chat_number };
    const { first: number, at } = await ledger.createMessages(chat, [content], { key, requestId });
    return {
      json: messageView({ number, content, createdAt: at, updatedAt: at }),
      headers: { location: `messages/${number}` },
    };
  },
);
