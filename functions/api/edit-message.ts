import { parsedMetadata } from '../../lib/model/metadata.ts';
import { operation } from '../runtime/http/operation.ts';
import { requireOwn } from './shared/messages.ts';
import { timestamp } from './shared/views.ts';

export const editMessage = operation('editMessage', async ({ params, body: change, holder, requestId }, services) => {
  const { token, chat_number: chat, message_number: number } = params;
  const message = { token, chat, number };
  await requireOwn(services, message, holder);
  const { at } = await services.ledger.editMessage(message, change, { requestId });
  return {
    json: {
      number,
      ...(change.body !== undefined && { body: change.body }),
      ...(change.metadata !== undefined && { metadata: parsedMetadata(change.metadata) }),
      updated_at: timestamp(at),
    },
  };
});
