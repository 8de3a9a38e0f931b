import { operation } from '../runtime/http/operation.ts';

export const deleteMessage = operation('deleteMessage', async ({ params, requestId }, { ledger }) => {
  const { token, chat_number: chat, message_number: number } = params;
  await ledger.deleteMessage({ token, chat, number }, { requestId });
  return {};
});
