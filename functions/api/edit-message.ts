import { parsedMetadata } from '../../lib/model/metadata.ts';
import { operation } from '../runtime/http/operation.ts';
import { timestamp } from './shared/views.ts';

export const editMessage = operation('editMessage', async ({ params, body: change, requestId }, { ledger }) => {
  const { token, chat_number: chat, message_number: number } = params;
  const { at } = await ledger.editMessage({ token, chat, number }, change, { requestId });
  return {
    json: {
      number,
      ...(change.body !== undefined && { body: change.body }),
      ...(change.metadata !== undefined && { metadata: parsedMetadata(change.metadata) }),
      updated_at: timestamp(at),
    },
  };
});
