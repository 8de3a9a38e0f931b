import { operation } from '../runtime/http/operation.ts';
import { requireMessage } from './shared/messages.ts';
import { messageView } from './shared/views.ts';

export const getMessage = operation('getMessage', async ({ params }, services) => {
  const { token, chat_number: chat, message_number: number } = params;
  return { json: messageView(await requireMessage(services, { token, chat, number })) };
});
