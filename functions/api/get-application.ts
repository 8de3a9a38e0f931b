import { operation } from '../runtime/http/operation.ts';
import { requireApplication } from './shared/parents.ts';
import { applicationView, heldApplicationView } from './shared/views.ts';

export const getApplication = operation('getApplication', async ({ params: { token }, holder }, services) => {
  const application = await requireApplication(services, token);
  return { json: holder ? heldApplicationView(application, holder) : applicationView(application) };
});
