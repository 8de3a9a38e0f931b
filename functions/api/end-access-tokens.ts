import { operation } from '../runtime/http/operation.ts';

export const endAccessTokens = operation('endAccessTokens', async ({ params: { token } }, { ledger }) => {
  await ledger.raiseAccessGeneration(token);
  return {};
});
