import { expect, test } from 'vitest';
import { adminKey } from '../../functions/aws/admin-key.ts';
import { bind } from '../../functions/aws/provider.ts';

test.for([{}, { ADMIN_KEY_SECRET: '' }])(
  'a registry function requires either an admin key or an open registry: %j',
  async (environment) => {
    await expect(bind({ adminKey }, environment)).rejects.toThrow('environment variable ADMIN_KEY_SECRET');
  },
);

test('the registry is open when ADMIN_KEY_SECRET is `open`', async () => {
  expect(await bind({ adminKey }, { ADMIN_KEY_SECRET: 'open' })).toEqual({ adminKey: undefined });
});
