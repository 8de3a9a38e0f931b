import { script, style } from './console-assets.ts';
import { documentOf } from './documents.ts';
import { sourceOf } from './page-policy.ts';

/**
 * Returns the console: a page for looking at applications, chats and messages, as one self-contained file. Its parts are
 * built from the folder console (`npm run console`).
 */
export const consolePage = documentOf(async () => ({
  contentType: 'text/html; charset=utf-8',
  text: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>chat-system console</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript.</noscript></div>
<script>${script}</script>
</body>
</html>
`,
  // Messages are untrusted input. Only this script and this style run, and no text can become HTML by accident.
  headers: {
    'content-security-policy': [
      "default-src 'none'",
      `script-src ${sourceOf(script)}`,
      `style-src ${sourceOf(style)}`,
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
  },
}));

/** Returns the headers with a policy that also lets the page connect to these origins, to follow changes live. */
export const connectingTo = (headers: Record<string, string>, origins: string[]): Record<string, string> => ({
  ...headers,
  'content-security-policy': (headers['content-security-policy'] ?? '').replace(
    "connect-src 'self'",
    ["connect-src 'self'", ...origins].join(' '),
  ),
});
