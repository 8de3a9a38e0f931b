import { operation } from '../runtime/http/operation.ts';

export const deleteChat = operation('deleteChat', async ({ params: { token, chat_number }, requestId }, { ledger }) => {
  await ledger.deleteChat({ token, chat: chat_number }, { requestId });
  return {};
});
