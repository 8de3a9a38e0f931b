import * as z from 'zod/mini';
import { readSecret } from './secrets.ts';

/** The format of RDS and RDS Proxy. */
const secret = z.pipe(
  z.transform((text: string) => JSON.parse(text)),
  z.object({ username: z.optional(z.string()), password: z.string() }),
);

/**
 * Returns the password in the secret, and the user if the secret names one.
 *
 * @throws ZodError when the secret is not a JSON object with a `password`
 */
export async function readDatabaseLogin(secretId: string): Promise<{ user?: string; password: string }> {
  const { username, password } = secret.parse(await readSecret(secretId));
  return username ? { user: username, password } : { password };
}
