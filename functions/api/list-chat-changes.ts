import { pagedOperation } from '../runtime/http/operation.ts';
import { changeCursors, changesResponse, messageChangeView } from './shared/changes.ts';
import { requireChat } from './shared/parents.ts';

export const listChatChanges = pagedOperation('listChatChanges', changeCursors, async (request, services) => {
  const { token, chat_number: chat } = request.params;
  const { cursors, store } = services;
  return changesResponse({
    request,
    cursors,
    version: async () => {
      await requireChat(services, token, chat);
      return store.version({ token, chat });
    },
    page: (range) => store.messageChanges({ token, chat }, range),
    viewOf: messageChangeView,
  });
});
