import { operation } from '../runtime/http.ts';
import { requireApplication } from '../runtime/parents.ts';
import { applicationView } from '../runtime/views.ts';

export const getApplication = operation('getApplication', async ({ params: { token } }, services) => ({
  json: applicationView(await requireApplication(services, token)),
}));
