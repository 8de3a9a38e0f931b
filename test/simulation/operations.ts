import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import { type OperationId, operationFile, routes } from '../../lib/api/routes.ts';
import type { World } from './world.ts';

/** The handlers of all operations, before their services are bound. */
export type Operations = Record<OperationId, (services: ReturnType<World['services']>) => HttpHandler>;

const loaded = (Object.keys(routes) as OperationId[]).map(async (id) => {
  const module = (await import(`../../functions/api/${operationFile(id)}.ts`)) as Operations;
  return [id, module[id]] as const;
});

export const operations = Object.fromEntries(await Promise.all(loaded)) as Operations;
