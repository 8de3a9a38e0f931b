import { openapiJson } from '../../lib/api/openapi.ts';
import { operation } from '../runtime/http.ts';

export const getOpenapi = operation('getOpenapi', async () => ({ document: await openapiJson() }));
