import { operation } from '../runtime/http/operation.ts';
import { requireApplication } from './shared/parents.ts';
import { applicationView, applicationViewForHolder } from './shared/views.ts';

export const getApplication = operation('getApplication', async ({ params: { token }, holder }, services) => {
  const application = await requireApplication(services, token);
  return { json: holder ? applicationViewForHolder(application, holder) : applicationView(application) };
});
