import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openapiDocument } from '../../lib/api/openapi.ts';
import { problems } from '../../lib/api/problems.ts';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { type OpenApi, OpenApiCheck, type Received, responseOf } from '../support/client/openapi.ts';

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

test('each operation has an id of its own: that of the table, or for a second method one made from it', () => {
  const expected = table.flatMap(([id, { alias }]) => [id, ...(alias ? [`${id}ByPut`] : [])]);
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(expected.sort());
});

test('every operation has a description, and the names in it exist in the document', () => {
  const { paths, components } = document;
  const others = JSON.stringify({ components, paths }, (name, value) => (name === 'description' ? undefined : value));
  const names = new Set([...others.matchAll(/"(\w+)"/g)].map(([, name]) => name));
  for (const { operationId, description = '' } of operations) {
    expect(description, operationId).toMatch(/\.$/);
    for (const [, name] of description.matchAll(/`([a-z_]+)`/g)) expect(names, operationId).toContain(name);
  }
});

test('responses with problems are components, with the codes as an enumeration', () => {
  const inOperations = operations.flatMap(({ responses }) => Object.entries(responses));
  for (const [status, { $ref }] of inOperations)
    if (status >= '400') expect($ref).toMatch(/^#\/components\/responses\//);
  expect(document.components.schemas.Problem).toMatchObject({
    properties: { code: { enum: Object.keys(problems) } },
  });
  expect(JSON.stringify(document).length).toBeLessThan(110_000);
});

test('schemas of responses are open, and the tests nevertheless find an undocumented member and name it', () => {
  expect(JSON.stringify(document)).not.toContain('"additionalProperties":false');
  const check = new OpenApiCheck(document);
  const received = (body: unknown): Received => ({
    method: 'GET',
    path: '/applications/t/chats/1/messages',
    status: 200,
    headers: new Headers({ 'content-type': 'application/json', 'x-request-id': '1' }),
    body,
  });
  const message = {
    number: 1,
    sender: null,
    body: 'a',
    metadata: { mood: 'any' },
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
  };
  expect(check.fault(received({ data: [message], next: null, pending: [] }))).toBeUndefined();
  expect(check.fault(received({ data: [message, { ...message, mood: 'glad' }], next: null, pending: [] }))).toBe(
    'the body has the undocumented member /data/1/mood',
  );
  expect(check.fault(received({ data: [message], next: null }))).toContain("must have required property 'pending'");
  const { headers } = received(null);
  headers.delete('x-request-id');
  expect(check.fault({ ...received({ data: [], next: null, pending: [] }), headers })).toContain('x-request-id');
});

test('a request body documents exactly the members that must be present', () => {
  const required = Object.entries(document.components.schemas)
    .filter(([name]) => /(?:Input|Edit)$/.test(name))
    .map(([name, schema]) => [name, (schema as { required?: string[] }).required ?? []]);
  expect(Object.fromEntries(required)).toEqual({
    ApplicationInput: ['name'],
    AccessTokenInput: [],
    ChatInput: [],
    ChatEdit: [],
    MessageInput: ['body'],
    MessagesInput: ['messages'],
    MessageEdit: [],
  });
});

test('every operation documents its response and all its problems', () => {
  for (const [id, route] of table) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    const statuses = Object.keys(operation?.responses ?? {});
    expect(statuses, id).toContain(String(route.response.status));
    for (const code of [...route.problems, 'internal_error', 'too_many_requests', 'unavailable'] as const) {
      const documented = operation?.responses[problems[code].status];
      const response = documented && responseOf(document, documented);
      expect(response?.content, id).toHaveProperty(['application/problem+json']);
      expect(JSON.stringify(response), id).toContain(code);
    }
    if (route.body) for (const status of ['400', '413', '415', '422']) expect(statuses, id).toContain(status);
  }
});

test('every reference in the document resolves', () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([\w.]+)"/g);
  const names = [...references.map(([, kind = '', name = '']) => [kind, name])];
  expect(names.length).toBeGreaterThan(100);
  for (const name of names) expect(document.components).toHaveProperty(name);
});

test('the document is valid by the schema of the OpenAPI specification', async () => {
  const { valid, errors } = await new Validator().validate({ ...document });
  expect({ valid, errors }).toEqual({ valid: true });
});
