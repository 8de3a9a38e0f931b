import * as z from 'zod/mini';
import { readSecret } from './secrets.ts';

/** As RDS and RDS Proxy have it. */
const secret = z.pipe(
  z.transform((text: string) => JSON.parse(text)),
  z.object({ username: z.optional(z.string()), password: z.string() }),
);

/**
 * The password in the secret, and the user where the secret names one.
 *
 * @throws ZodError when the secret is no JSON object with a `password`
 */
export async function readDatabaseLogin(secretId: string): Promise<{ user?: string; password: string }> {
  const { username, password } = secret.parse(await readSecret(secretId));
  return username ? { user: username, password } : { password };
}
