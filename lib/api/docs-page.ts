import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { documentOf } from './documents.ts';

const asset = async (name: string): Promise<string> =>
  (await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8')).replaceAll(
    '</script',
    '<\\/script',
  );

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The document's address is relative to the page's, so it holds behind any prefix of a proxy or gateway. */
const start = "SwaggerUIBundle({ url: 'openapi.json', dom_id: '#docs', deepLinking: true });";

/**
 * The page to read the API's document in and to try it: Swagger UI in one self-contained file, so that it works without
 * a network and in any deployment. Its assets are read at the first request, because the page is rarely wanted and its
 * script is large.
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
    `script-src ${sha256(script)} ${sha256(start)}`,
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
      // Links of the page do not tell other sites where this deployment is.
      'referrer-policy': 'no-referrer',
    },
  };
});
