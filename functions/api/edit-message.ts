import { operation } from '../runtime/http/operation.ts';
import { timestamp } from './shared/views.ts';

export const editMessage = operation('editMessage', async ({ params, body: content, requestId }, { ledger }) => {
  const { token, chat_number: chat, message_number: number } = params;
  const { at } = await ledger.editMessage({ token, chat, number }, content, { requestId });
  return { json: { number, ...content, updated_at: timestamp(at) } };
});
