import { operation } from '../runtime/http/operation.ts';

export const getHealth = operation('getHealth', async () => ({ json: { status: 'ok' } }));
