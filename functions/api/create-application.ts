import { operation } from '../runtime/http.ts';
import { applicationView } from '../runtime/views.ts';

export const createApplication = operation('createApplication', async ({ body: { name }, key, base }, { ledger }) => {
  const { token, at } = await ledger.createApplication(name, key);
  return {
    json: applicationView({ token, name, chatsCount: 0, createdAt: at, updatedAt: at }),
    headers: { location: `${base}/applications/${token}` },
  };
});
