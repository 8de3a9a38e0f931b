import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openapiDocument } from '../../lib/api/openapi.ts';
import { problems } from '../../lib/api/problems.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import type { OpenApi } from '../support/client/openapi.ts';

// The document as clients get it.
const document: OpenApi = JSON.parse(JSON.stringify(openapiDocument()));
const table = Object.entries(routes) as [OperationId, Route][];
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

test('the document is OpenAPI 3.1, with a server relative to the document', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.servers).toEqual([{ url: '.' }]);
  for (const path of Object.keys(document.paths)) expect(path).not.toMatch(/^\/v1/);
});

test('the document has exactly the routes of the table, with their methods and aliases', () => {
  const expected = table.flatMap(([, { path, method, alias }]) =>
    [method, ...(alias ? [alias] : [])].map((name) => `${name.toLowerCase()} ${path}`),
  );
  const found = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  expect(found.sort()).toEqual(expected.sort());
});

test('each operation id of the table occurs once in the document', () => {
  const ids = operations.map(({ operationId }) => operationId).filter((id) => id !== undefined);
  expect(ids.sort()).toEqual(table.map(([id]) => id).sort());
});

test('every operation documents its response and all its problems', () => {
  for (const [id, route] of table) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    const statuses = Object.keys(operation?.responses ?? {});
    expect(statuses, id).toContain(String(route.response.status));
    for (const code of [...route.problems, 'internal_error', 'too_many_requests', 'unavailable'] as const) {
      const response = operation?.responses[problems[code].status];
      expect(response?.content, id).toHaveProperty(['application/problem+json']);
      expect(JSON.stringify(response), id).toContain(code);
    }
    if (route.body) for (const status of ['400', '413', '415', '422']) expect(statuses, id).toContain(status);
  }
});

test('every reference in the document resolves', () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  const names = new Set(references.map(([, name]) => name));
  expect(names.size).toBeGreaterThan(10);
  for (const name of names) expect(document.components.schemas).toHaveProperty(name as string);
});

test('the document is valid by the schema of the OpenAPI specification', async () => {
  const { valid, errors } = await new Validator().validate({ ...document });
  expect({ valid, errors }).toEqual({ valid: true });
});
