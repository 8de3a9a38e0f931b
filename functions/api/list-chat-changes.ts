import { operation } from '../runtime/http/operation.ts';
import { changesResponse, messageChangeView } from './shared/changes.ts';
import { requireChat } from './shared/parents.ts';

export const listChatChanges = operation('listChatChanges', async ({ params, query }, services) => {
  const { token, chat_number: chat } = params;
  const { cursors, store } = services;
  return changesResponse({
    list: ['listChatChanges', params],
    query,
    cursors,
    version: async () => {
      await requireChat(services, token, chat);
      return store.version({ token, chat });
    },
    page: (range) => store.messageChanges({ token, chat }, range),
    viewOf: messageChangeView,
  });
});
