import { operation } from '../runtime/http/operation.ts';
import { timestamp } from './shared/views.ts';

export const editMessage = operation('editMessage', async ({ params, body: { body }, requestId }, { ledger }) => {
  const { token, chat_number, message_number: number } = params;
  const { at } = await ledger.editMessage(token, chat_number, number, body, requestId);
  return { json: { number, body, updated_at: timestamp(at) } };
});
