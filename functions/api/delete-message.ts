import { operation } from '../runtime/http/operation.ts';
import { requireOwn } from './shared/messages.ts';

export const deleteMessage = operation('deleteMessage', async ({ params, holder, requestId }, services) => {
  const message = { token: params.token, chat: params.chat_number, number: params.message_number };
  await requireOwn(services, message, holder);
  await services.ledger.deleteMessage(message, { requestId });
  return {};
});
