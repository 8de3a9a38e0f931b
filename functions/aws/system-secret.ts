import * as z from 'zod/mini';
import { CachedSecret } from './cached-secret.ts';
import { readSecret } from './secrets.ts';

/** SYSTEM_SECRET is the name or ARN of the system secret. */
export const systemSecretVariables = { SYSTEM_SECRET: z.string().check(z.minLength(1)) };

const cached = new Map<string, CachedSecret>();

/** Returns the system secret. The services of a function share it, so that the function reads it once. */
export function systemSecret({ SYSTEM_SECRET: id }: { SYSTEM_SECRET: string }): CachedSecret {
  const secret = cached.get(id) ?? new CachedSecret(() => readSecret(id));
  cached.set(id, secret);
  return secret;
}
