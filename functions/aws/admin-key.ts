import * as z from 'zod/mini';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** The key that operators send; none where ADMIN_KEY_SECRET, the name of its secret, is not set. */
export const adminKey = provider({
  variables: { ADMIN_KEY_SECRET: z.optional(z.string().check(z.minLength(1))) },
  create: async ({ ADMIN_KEY_SECRET }) => ADMIN_KEY_SECRET && readSecret(ADMIN_KEY_SECRET),
});
