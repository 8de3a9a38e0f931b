import * as z from 'zod/mini';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** What stands in ADMIN_KEY_SECRET where the registry of applications is to be open; no secret can have this name. */
export const openRegistry = 'open';

/**
 * The key that operators send: the text of the secret that ADMIN_KEY_SECRET names, or none where that says `open`. A function
 * without the variable does not start, so a forgotten one opens nothing.
 */
export const adminKey = provider({
  variables: { ADMIN_KEY_SECRET: z.string().check(z.minLength(1)) },
  create: async ({ ADMIN_KEY_SECRET }) =>
    ADMIN_KEY_SECRET === openRegistry ? undefined : readSecret(ADMIN_KEY_SECRET),
});
