import { operation } from '../runtime/http/operation.ts';

export const deleteApplication = operation(
  'deleteApplication',
  async ({ params: { token }, requestId }, { ledger }) => {
    await ledger.deleteApplication(token, { requestId });
    return {};
  },
);
