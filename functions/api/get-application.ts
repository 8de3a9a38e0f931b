import { operation } from '../runtime/http/operation.ts';
import { requireApplication } from './shared/parents.ts';
import { applicationView } from './shared/views.ts';

export const getApplication = operation('getApplication', async ({ params: { token } }, services) => ({
  json: applicationView(await requireApplication(services, token)),
}));
