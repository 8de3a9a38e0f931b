import { expect, test } from 'vitest';
import { adminKey } from '../../functions/aws/admin-key.ts';
import { bind } from '../../functions/aws/provider.ts';

test.for([{}, { ADMIN_KEY_SECRET: '' }])(
  'a function of the registry that is told neither of a key nor that there is none does not start: %j',
  async (environment) => {
    await expect(bind({ adminKey }, environment)).rejects.toThrow('environment variable ADMIN_KEY_SECRET');
  },
);

test('the registry is open where its functions are told so', async () => {
  expect(await bind({ adminKey }, { ADMIN_KEY_SECRET: 'open' })).toEqual({ adminKey: undefined });
});
