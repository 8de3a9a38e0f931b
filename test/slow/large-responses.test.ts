import { expect, onTestFinished, test } from 'vitest';
import type { Access } from '../../lib/access/access.ts';
import { createServer } from '../../local/server.ts';
import { Traffic } from '../../local/traffic.ts';

test.each([
  ['of ASCII characters', 'x'.repeat(1_000_000)],
  ['of three bytes a character', '\u4f60'.repeat(300_000)],
  // The server writes it in pieces of an even number of UTF-16 units, and each pair begins at an odd one.
  ['with surrogate pairs', `x${'\u{1f389}'.repeat(200_000)}`],
])('a large response %s arrives whole', async (_, body) => {
  const access = undefined as unknown as Access;
  const server = createServer(
    new Map([['getHealth', async () => ({ statusCode: 200, headers: {}, body })]]),
    { adminKey: undefined, onLoopback: true, access, isKnown: () => true },
    { traffic: new Traffic({ isVerbose: false, followers: () => 0 }) },
  );
  await server.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/health`);
  expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  expect((await response.text()) === body).toBe(true);
});
