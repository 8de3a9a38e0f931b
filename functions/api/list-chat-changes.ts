import { listOf } from '../runtime/http/lists.ts';
import { operation } from '../runtime/http/operation.ts';
import { changesResponse, messageChangeView } from './shared/changes.ts';
import { requireChat } from './shared/parents.ts';

export const listChatChanges = operation('listChatChanges', async (request, services) => {
  const { token, chat_number: chat } = request.params;
  const { cursors, store } = services;
  return changesResponse({
    list: listOf('listChatChanges', request),
    query: request.query,
    cursors,
    version: async () => {
      await requireChat(services, token, chat);
      return store.version({ token, chat });
    },
    page: (range) => store.messageChanges({ token, chat }, range),
    viewOf: messageChangeView,
  });
});
