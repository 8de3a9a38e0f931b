import { operation } from '../runtime/http/operation.ts';
import { changesResponse, chatChangeView } from './shared/changes.ts';
import { requireApplication } from './shared/parents.ts';

export const listApplicationChanges = operation('listApplicationChanges', async ({ params, query }, services) => {
  const { token } = params;
  const { cursors, store } = services;
  return changesResponse({
    list: ['listApplicationChanges', params],
    query,
    cursors,
    version: async () => {
      await requireApplication(services, token);
      return store.version({ token });
    },
    page: (range) => store.chatChanges(token, range),
    viewOf: chatChangeView,
  });
});
