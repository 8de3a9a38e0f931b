import { openapiJson } from '../../lib/api/openapi.ts';
import { operation } from '../runtime/http/operation.ts';

export const getOpenapi = operation('getOpenapi', async () => ({ document: await openapiJson() }));
