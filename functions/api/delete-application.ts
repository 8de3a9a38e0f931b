import { operation } from '../runtime/http.ts';

export const deleteApplication = operation('deleteApplication', async ({ params: { token } }, { ledger }) => {
  await ledger.deleteApplication(token);
  return {};
});
