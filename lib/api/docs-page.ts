import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const asset = (name: string): string =>
  readFileSync(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)), 'utf8').replaceAll('</script', '<\\/script');

// Read at the first request: the page is rarely wanted, and its script is large.
let assets: { style: string; script: string; scriptHash: string } | undefined;

const readAssets = () => {
  const script = asset('swagger-ui-bundle.js');
  return { style: asset('swagger-ui.css'), script, scriptHash: sha256(script) };
};

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * The page to read the API's document in and to try it: Swagger UI in one self-contained file, so that it works without
 * a network and in any deployment.
 */
export function docsPage(base: string): { html: string; headers: Record<string, string> } {
  assets ??= readAssets();
  const start = `SwaggerUIBundle({ url: ${JSON.stringify(`${base}/openapi.json`)}, dom_id: '#docs', deepLinking: true });`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chat-system API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
<style>${assets.style}</style>
</head>
<body>
<div id="docs"></div>
<script>${assets.script}</script>
<script>${start}</script>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src ${assets.scriptHash} ${sha256(start)}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, headers: { 'content-security-policy': policy } };
}
