import { operation } from '../runtime/http/operation.ts';
import { timesView } from './shared/views.ts';

export const editApplication = operation(
  'editApplication',
  async ({ params: { token }, body, requestId }, { ledger }) => {
    const { createdAt, at } = await ledger.editApplication(token, body.name, { requestId });
    return { json: { token, name: body.name, ...timesView({ createdAt, updatedAt: at }) } };
  },
);
