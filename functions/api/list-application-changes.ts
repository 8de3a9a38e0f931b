import { pagedOperation } from '../runtime/http/operation.ts';
import { changeCursors, changesResponse, chatChangeView } from './shared/changes.ts';
import { requireApplication } from './shared/parents.ts';

export const listApplicationChanges = pagedOperation(
  'listApplicationChanges',
  changeCursors,
  async (request, services) => {
    const { token } = request.params;
    const { cursors, store } = services;
    return changesResponse({
      request,
      cursors,
      version: async () => {
        await requireApplication(services, token);
        return store.version({ token });
      },
      page: (range) => store.chatChanges(token, range),
      viewOf: chatChangeView,
    });
  },
);
