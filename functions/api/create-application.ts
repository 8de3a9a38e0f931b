import { operation } from '../runtime/http/operation.ts';
import { applicationView } from './shared/views.ts';

export const createApplication = operation(
  'createApplication',
  async ({ body: { name }, key, requestId }, { ledger }) => {
    const { token, at } = await ledger.createApplication(name, { key, requestId });
    return {
      json: applicationView({ token, name, chatsCount: 0, createdAt: at, updatedAt: at }),
      headers: { location: `applications/${token}` },
    };
  },
);
