import * as z from 'zod/mini';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/** The value of ADMIN_KEY_SECRET that opens the registry of applications to everyone. No secret can have this name. */
export const openRegistry = 'open';

/**
 * The admin key: the text of the secret that ADMIN_KEY_SECRET names, or undefined when the variable is `open`. A
 * function does not start without the variable, so forgetting it does not open the registry.
 */
export const adminKey = provider({
  variables: { ADMIN_KEY_SECRET: z.string().check(z.minLength(1)) },
  create: async ({ ADMIN_KEY_SECRET }) =>
    ADMIN_KEY_SECRET === openRegistry ? undefined : readSecret(ADMIN_KEY_SECRET),
});
