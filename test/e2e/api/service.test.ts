import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { routes } from '../../../lib/api/routes.ts';
import type { OpenApi } from '../../support/client/openapi.ts';
import { deployment } from '../../support/servers/deployment.ts';

const api = await deployment();

test('health is ok', async () => {
  expect(await api.get('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

describe('the OpenAPI document', () => {
  test('the OpenAPI document has version 3.1 and the base URL of the deployment', async () => {
    const { status, body, headers } = await api.get<OpenApi>('/openapi.json');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/json\b/)]);
    expect(body.openapi).toMatch(/^3\.1\.\d+$/);
    expect(new URL(body.servers[0]?.url ?? '', `${api.base}/openapi.json`).href).toBe(`${api.base}/`);
  });

  test('the OpenAPI document describes exactly the operations', async () => {
    const { body } = await api.get<OpenApi>('/openapi.json');
    const described = Object.entries(body.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const known = Object.values(routes).flatMap((route) => [
      `${route.method} ${route.path}`,
      ...('alias' in route ? [`${route.alias} ${route.path}`] : []),
    ]);
    expect(described.sort()).toEqual(known.sort());
    const ids = Object.values(body.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(known.length);
    expect(ids).toEqual(expect.arrayContaining(Object.keys(routes)));
  });

  test('the schemas of the OpenAPI document are valid JSON Schema, and their references resolve', async () => {
    const { body } = await api.get<OpenApi>('/openapi.json');
    const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
    ajv.addSchema({ $id: 'openapi', ...body });
    for (const name of Object.keys(body.components.schemas))
      expect(() => ajv.compile({ $ref: `openapi#/components/schemas/${name}` }), name).not.toThrow();
    for (const [, name] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(body.components.schemas)).toContain(name);
  });
});

describe('the docs page', () => {
  test('the docs page is one self-contained HTML file about the OpenAPI document', async () => {
    const { status, body, headers } = await api.get<string>('/docs');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toMatch(/^<!doctype html>/i);
    expect(body).toContain("SwaggerUIBundle({ url: base + '/openapi.json',");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(body).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)="(?!data:)/i);
  });

  test('the docs page is at the base path too, with and without a slash at its end', async () => {
    const { text } = await pageAt('/docs');
    for (const path of ['', '/']) expect(await pageAt(path)).toEqual({ status: 200, text });
  });
  const pageAt = async (path: string) => {
    const response = await fetch(api.base + path);
    return { status: response.status, text: await response.text() };
  };

  test('the docs page prefills no Idempotency-Key, so that a second try does not get the first response', async () => {
    const { body } = await api.get<OpenApi>('/openapi.json');
    const parameters = Object.values(body.paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap((operation) => operation.parameters ?? []);
    const headers = parameters.filter((parameter) => parameter.in === 'header');
    expect(headers.map(({ name }) => name)).toContain('Idempotency-Key');
    for (const header of headers) expect(JSON.stringify(header), header.name).not.toMatch(/"(example|default)s?":/);
  });

  test('the docs page may run its own scripts only', async () => {
    const { headers } = await api.get('/docs');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'sha256-[^;]+'/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });
});

test('the console is one HTML file, and may run only its own script and connect only to the API and its feed', async () => {
  const { status, body, headers } = await api.get<string>('/console');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(body).toMatch(/^<!doctype html>/);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^ ;]+'; style-src 'sha256-[^ ;]+'; /);
  expect(policy).toMatch(/; connect-src 'self'( wss?:\/\/[^ ;*]+)?; /);
  expect(headers.get('referrer-policy')).toBe('no-referrer');
});

describe.each(['/docs', '/console', '/openapi.json'])('%s', (path) => {
  test('a document is compressed for a client that accepts gzip, and plain for any other', async () => {
    const answers = await Promise.all(
      ['gzip, deflate, br', 'identity', 'gzip;q=0'].map((coding) => api.get(path, { 'accept-encoding': coding })),
    );
    expect(answers.map(({ headers }) => headers.get('content-encoding'))).toEqual(['gzip', null, null]);
    for (const { body, headers } of answers) {
      expect(body).toEqual(answers[0]?.body);
      expect(headers.get('vary')?.toLowerCase()).toContain('accept-encoding');
    }
  });

  test('a document is not sent again to a client that has it', async () => {
    const { headers } = await api.get(path);
    const again = await api.get(path, { 'if-none-match': headers.get('etag') ?? '' });
    expect([again.status, again.body]).toEqual([304, '']);
  });
});

describe('any origin', () => {
  test('any origin may call, and each response has an id of its own', async () => {
    const ids = new Set<string | null>();
    for (let i = 0; i < 20; i++) {
      const { headers } = await api.get('/health', { origin: 'https://example.org', 'x-request-id': 'mine' });
      ids.add(headers.get('x-request-id'));
    }
    expect(ids.size).toBe(20);
    expect(ids).not.toContain('mine');
  });
});
