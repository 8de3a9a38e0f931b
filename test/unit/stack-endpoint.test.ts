import { expect, test } from 'vitest';
import { emulatedApiUrl } from '../../tools/stack/api-url.ts';
import { emulatorEnvironment } from '../../tools/stack/cdk.ts';
import { isLoopbackUrl, requireLoopback } from '../../tools/stack/endpoint.ts';

test.each([
  'http://localhost:4566',
  'http://LOCALHOST:4566/',
  'https://localhost',
  'http://127.0.0.1:4566',
  'http://127.1.2.3',
  'http://0x7f.1:4566',
  'http://[::1]:4566',
])('the address %s is on this machine', (url) => {
  expect(isLoopbackUrl(url)).toBe(true);
});

test.each([
  'http://127.0.0.1.evil.com',
  'http://localhost.evil.com:4566',
  'http://evil.localhost',
  'http://localhost.',
  'http://localhost@evil.com',
  'http://localhost:4566@evil.com',
  'http://user@localhost:4566',
  'http://0.0.0.0:4566',
  'http://[::]:4566',
  'http://[::2]',
  'http://[::ffff:10.0.0.1]',
  'http://10.0.0.1:4566',
  'http://128.0.0.1',
  'https://sqs.us-east-1.amazonaws.com',
  'ftp://localhost',
  'file:///localhost',
  'localhost:4566',
  '127.0.0.1',
  '',
])('no deployment goes to %j', (url) => {
  expect(isLoopbackUrl(url)).toBe(false);
  expect(() => requireLoopback(url)).toThrow('is not on this machine');
});

test("a deployment to an emulator hides the shell's AWS settings from cdk", () => {
  const shell = {
    AWS_PROFILE: 'production',
    AWS_SESSION_TOKEN: 'secret',
    AWS_ENDPOINT_URL_SQS: 'https://evil.com',
    HOME: '/home/you',
  };
  const environment = emulatorEnvironment('http://127.0.0.1:4566', shell);
  expect(environment).toMatchObject({
    HOME: '/home/you',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    AWS_ACCESS_KEY_ID: 'test',
  });
  expect(Object.keys(environment)).not.toContain('AWS_PROFILE');
  expect(Object.keys(environment)).not.toContain('AWS_SESSION_TOKEN');
  expect(Object.keys(environment)).not.toContain('AWS_ENDPOINT_URL_SQS');
});

test('the API of an emulator is found by the path that both emulators serve', () => {
  const url = emulatedApiUrl('http://127.0.0.1:4566', 'https://abc123.execute-api.us-east-1.amazonaws.com/v1/');
  expect(url).toBe('http://127.0.0.1:4566/_aws/execute-api/abc123/v1');
  expect(() => emulatedApiUrl('http://127.0.0.1:4566', 'https://example.com/v1')).toThrow('not the address of an API');
});
