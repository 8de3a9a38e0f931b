import { operation } from '../runtime/http/operation.ts';

export const deleteMessage = operation('deleteMessage', async ({ params, requestId }, { ledger }) => {
  await ledger.deleteMessage(params.token, params.chat_number, params.message_number, requestId);
  return {};
});
