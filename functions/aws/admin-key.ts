import * as z from 'zod/mini';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/**
 * The value of ADMIN_KEY_SECRET that lets everyone create and list applications. infra/flags.ts refuses a secret of
 * this name.
 */
export const openRegistry = 'open';

/**
 * Returns the admin key in the text of a secret. White space around it, such as a line break at the end of a file, is
 * not part of the key, because a header cannot contain it.
 *
 * @throws Error for a text without a key, because an empty key would open the registry
 */
export function adminKeyIn(text: string): string {
  const key = text.trim();
  if (key === '') throw new Error('The secret with the admin key has only white space');
  return key;
}

/**
 * The admin key in the secret that ADMIN_KEY_SECRET names, or undefined when the variable is `open`. A function does not
 * start without the variable, so forgetting it does not open the registry.
 */
export const adminKey = provider({
  variables: { ADMIN_KEY_SECRET: z.string().check(z.minLength(1)) },
  create: async ({ ADMIN_KEY_SECRET }) =>
    ADMIN_KEY_SECRET === openRegistry ? undefined : adminKeyIn(await readSecret(ADMIN_KEY_SECRET)),
});
