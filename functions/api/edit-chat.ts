import { parsedMetadata } from '../../lib/model/metadata.ts';
import { operation } from '../runtime/http/operation.ts';
import { timesView } from './shared/views.ts';

export const editChat = operation('editChat', async ({ params, body: change, requestId }, { ledger }) => {
  const { token, chat_number: chat } = params;
  const { createdAt, at } = await ledger.editChat({ token, chat }, change, { requestId });
  return {
    json: {
      number: chat,
      ...(change.name !== undefined && { name: change.name }),
      ...(change.metadata !== undefined && { metadata: parsedMetadata(change.metadata) }),
      ...timesView({ createdAt, updatedAt: at }),
    },
  };
});
