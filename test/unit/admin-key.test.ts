import { expect, test } from 'vitest';
import { adminKey, adminKeyIn } from '../../functions/aws/admin-key.ts';
import { bind } from '../../functions/aws/provider.ts';

test.for([{}, { ADMIN_KEY_SECRET: '' }])(
  'a function that requires the admin key does not start without ADMIN_KEY_SECRET: %j',
  async (environment) => {
    await expect(bind({ adminKey }, environment)).rejects.toThrow('environment variable ADMIN_KEY_SECRET');
  },
);

test('anyone may create and list applications when ADMIN_KEY_SECRET is `open`', async () => {
  expect(await bind({ adminKey }, { ADMIN_KEY_SECRET: 'open' })).toEqual({ adminKey: undefined });
});

test('white space around the text of the secret is no part of the admin key, and a secret without a key is refused', () => {
  expect(adminKeyIn('the key\n')).toBe('the key');
  expect(adminKeyIn('\ufeffkey\r\n')).toBe('key');
  expect(() => adminKeyIn(' \n')).toThrow('has only white space');
});
