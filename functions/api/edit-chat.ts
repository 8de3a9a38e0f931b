import { operation } from '../runtime/http/operation.ts';
import { timesView } from './shared/views.ts';

export const editChat = operation(
  'editChat',
  async ({ params: { token, chat_number }, body, requestId }, { ledger }) => {
    const { createdAt, at } = await ledger.editChat({ token, chat: chat_number }, body.name, { requestId });
    return { json: { number: chat_number, name: body.name, ...timesView({ createdAt, updatedAt: at }) } };
  },
);
