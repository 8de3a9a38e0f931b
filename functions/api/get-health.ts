import { operation } from '../runtime/http.ts';

export const getHealth = operation('getHealth', async () => ({ json: { status: 'ok' } }));
