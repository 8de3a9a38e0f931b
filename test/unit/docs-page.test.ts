import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { docsPage } from '../../lib/api/docs-page.ts';
import { openapiDocument } from '../../lib/api/openapi.ts';

interface Options {
  requestInterceptor: (request: { url: string }) => unknown;
  responseInterceptor: (response: { status: number; url: string; body: unknown }) => unknown;
}

test('the docs page fills in the token of the application that was created or used last', async () => {
  const filled = new Map<string, string>();
  let options: Options | undefined;
  const document = openapiDocument();
  const ui = {
    specSelectors: { specJson: () => ({ toJS: () => document }) },
    specActions: {
      changeParam: ([path, method]: [string, string], name: string, place: string, value: string) =>
        filled.set(`${method} ${path} ${place} ${name}`, value),
    },
  };
  const SwaggerUIBundle = (given: Options) => {
    options = given;
    return ui;
  };
  const scripts = [...(await docsPage()).plain.toString().matchAll(/<script>(.*?)<\/script>/gs)];
  runInNewContext(scripts.at(-1)?.[1] ?? '', { SwaggerUIBundle, location: { pathname: '/v1/docs' } });

  const url = 'http://localhost:3000/v1/applications';
  options?.requestInterceptor({ url: 'http://localhost:3000/v1/openapi.json' });
  options?.requestInterceptor({ url: `${url}?limit=1` });
  options?.responseInterceptor({ status: 401, url, body: {} });
  expect(filled.size).toBe(0);

  options?.responseInterceptor({ status: 201, url, body: { token: 'created' } });
  const operations = Object.entries(document.paths ?? {}).filter(([path]) => path.startsWith('/applications/'));
  const expected = operations.flatMap(([path, item]) =>
    Object.keys(item).map((method) => [`${method} ${path} path token`, 'created']),
  );
  expect([...filled].sort()).toEqual(expected.sort());

  options?.requestInterceptor({ url: `${url}/us%65d/chats/1?limit=1` });
  expect(new Set(filled.values())).toEqual(new Set(['used']));
});
