import { operation } from '../runtime/http/operation.ts';
import { sentBy } from './shared/messages.ts';
import { messageView } from './shared/views.ts';

export const createMessages = operation(
  'createMessages',
  async ({ params, body, holder, key, requestId }, { ledger }) => {
    const chat = { token: params.token, chat: params.chat_number };
    const contents = body.messages.map((content) => sentBy(holder, content));
    const { first, at } = await ledger.createMessages(chat, contents, { key, requestId });
    return {
      json: {
        data: contents.map((content, i) => messageView({ number: first + i, content, createdAt: at, updatedAt: at })),
      },
    };
  },
);
