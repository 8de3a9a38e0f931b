import { openapiDocument } from '../../lib/api/openapi.ts';
import { operation } from '../runtime/http.ts';

export const getOpenapi = operation('getOpenapi', async ({ base }) => ({ json: openapiDocument(base) }));
