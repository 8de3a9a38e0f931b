import { expect, test } from 'vitest';
import { hostnameOf, isLoopback } from '../../local/loopback.ts';

test.for(['localhost', 'LOCALHOST', 'localhost.', 'chat.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])(
  'the host name %s means this machine',
  (name) => expect(isLoopback(name)).toBe(true),
);

test.for([
  '',
  'evil.example',
  'localhost.evil.example',
  'xlocalhost',
  '127.0.0.1.evil.example',
  '127.1',
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '[::2]',
])('the host name %s does not certainly mean this machine', (name) => expect(isLoopback(name)).toBe(false));

test.for([
  ['localhost', 'localhost'],
  ['localhost:3000', 'localhost'],
  ['[::1]:3000', '[::1]'],
  ['[::1]', '[::1]'],
  ['localhost:', 'localhost'],
  ['localhost:x', undefined],
  ['evil.example:3000:localhost', undefined],
  ['::1', undefined],
  ['', ''],
])('the host name in the Host header %j is %j', ([host, name]) => expect(hostnameOf(host as string)).toBe(name));
