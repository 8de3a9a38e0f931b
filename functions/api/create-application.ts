import { operation } from '../runtime/http.ts';
import { applicationView } from '../runtime/views.ts';

export const createApplication = operation(
  'createApplication',
  async ({ body: { name }, key, requestId }, { ledger }) => {
    const { token, at } = await ledger.createApplication(name, key, requestId);
    return {
      json: applicationView({ token, name, chatsCount: 0, createdAt: at, updatedAt: at }),
      headers: { location: `applications/${token}` },
    };
  },
);
