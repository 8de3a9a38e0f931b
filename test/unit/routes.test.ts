import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { methodsOf, type OperationId, operationFile, type Route, routes } from '../../lib/api/routes.ts';

const folder = path.resolve(import.meta.dirname, '../../functions/api');
const table = Object.entries(routes) as [OperationId, Route][];

test('every operation is the only export of the file with its name', async () => {
  for (const [id] of table) {
    const module: Record<string, unknown> = await import(`${folder}/${operationFile(id)}.ts`);
    expect(module[id], id).toBeTypeOf('function');
    expect(Object.keys(module)).toEqual([id]);
  }
});

test('every file of functions/api is an operation of the route table, or the fallback', () => {
  const files = table.map(([id]) => `${operationFile(id)}.ts`);
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .sort(),
  ).toEqual([...files, 'fallback.ts'].sort());
});

test('the routes are those of the contract', () => {
  const chats = '/applications/{token}/chats';
  const messages = `${chats}/{chat_number}/messages`;
  const contract = {
    '/applications': ['POST', 'GET', 'HEAD'],
    '/applications/{token}': ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
    '/applications/{token}/access-tokens': ['POST', 'DELETE'],
    '/applications/{token}/changes': ['GET', 'HEAD'],
    '/applications/{token}/search': ['GET', 'HEAD'],
    '/applications/{token}/feed': ['GET', 'HEAD'],
    [chats]: ['POST', 'GET', 'HEAD'],
    [`${chats}/{chat_number}`]: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
    [`${chats}/{chat_number}/changes`]: ['GET', 'HEAD'],
    [messages]: ['POST', 'GET', 'HEAD'],
    [`${messages}/batch`]: ['POST'],
    [`${messages}/search`]: ['GET', 'HEAD'],
    [`${messages}/{message_number}`]: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
    '/health': ['GET', 'HEAD'],
    '/openapi.json': ['GET', 'HEAD'],
    '/docs': ['GET', 'HEAD'],
    '/console': ['GET', 'HEAD'],
  };
  const byPath = Map.groupBy(table, ([, route]) => route.path);
  const found = [...byPath].map(([path, ofPath]) => [path, ofPath.flatMap(([, route]) => methodsOf(route)).sort()]);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.entries(contract).map(([path, methods]) => [path, methods.sort()])),
  );
});

test('a path has exactly the parameters of its schema', () => {
  for (const [id, route] of table) {
    const named = route.path.matchAll(/\{(\w+)\}/g).map(([, name]) => name);
    expect([...named], id).toEqual(Object.keys(route.params?.().shape ?? {}));
  }
});

test('writes need the ledger only, except those that must know whose message it is, and only creating and listing applications need the admin key', () => {
  for (const [id, { method, allows, needs }] of table)
    if (method !== 'GET') expect(needs, id).toEqual(allows === 'edit' ? ['store', 'ledger'] : ['ledger']);
  expect(table.filter(([, { admin }]) => admin).map(([id]) => id)).toEqual(['createApplication', 'listApplications']);
});

test('every route documents the 404 of each resource in its path', () => {
  for (const [id, { path, problems, repeated = [] }] of table) {
    expect(problems.includes('application_not_found'), id).toBe(path.includes('{token}'));
    expect(problems.includes('chat_not_found'), id).toBe(path.includes('{chat_number}') || repeated.includes('chat'));
    expect(problems.includes('message_not_found'), id).toBe(path.includes('{message_number}'));
  }
});
