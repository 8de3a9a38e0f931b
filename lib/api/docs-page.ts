import { readFile } from 'node:fs/promises';
import { documentOf } from './documents.ts';
import { sourceOf } from './page-policy.ts';

const asset = async (name: string): Promise<string> =>
  (await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8')).replaceAll(
    '</script',
    '<\\/script',
  );

/**
 * Fills in the token of the application that was created or used last, in every operation, so that it is typed at most
 * once.
 */
const tokenFilling = `const fillIn = (token) => {
  for (const [path, operations] of Object.entries(ui.specSelectors.specJson().toJS().paths ?? {}))
    for (const method of path.includes('{token}') ? Object.keys(operations) : [])
      ui.specActions.changeParam([path, method], 'token', 'path', token);
};
const interceptors = {
  requestInterceptor: (request) => {
    const [, token] = /\\/applications\\/([^/?]+)/.exec(request.url) ?? [];
    if (token) fillIn(decodeURIComponent(token));
    return request;
  },
  responseInterceptor: (response) => {
    if (response.status === 201 && response.url.endsWith('/applications')) fillIn(response.body.token);
    return response;
  },
};`;

/**
 * Loads the document from beside the page. The page is at `/docs` and at the base path itself, with or without a slash,
 * behind any path prefix of a proxy or gateway.
 */
const start = `${tokenFilling}
const base = location.pathname.replace(/(\\/docs)?\\/?$/, '');
const ui = SwaggerUIBundle({ url: base + '/openapi.json', dom_id: '#docs', deepLinking: true, ...interceptors });`;

/**
 * Returns the docs page: Swagger UI with the API's OpenAPI document, as one self-contained file that works offline and
 * in any deployment. The assets are read at the first request, because the page is rarely requested and its script is
 * large.
 */
export const docsPage = documentOf(async () => {
  const [style, script] = await Promise.all([asset('swagger-ui.css'), asset('swagger-ui-bundle.js')]);
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chat-system API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
<style>${style}</style>
</head>
<body>
<div id="docs"></div>
<script>${script}</script>
<script>${start}</script>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src ${sourceOf(script)} ${sourceOf(start)}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    contentType: 'text/html; charset=utf-8',
    text,
    headers: {
      'content-security-policy': policy,
      // Sites that the page links to do not learn the URL of this deployment.
      'referrer-policy': 'no-referrer',
    },
  };
});
