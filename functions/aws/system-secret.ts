import * as z from 'zod/mini';
import { HeldSecret } from './held-secret.ts';
import { readSecret } from './secrets.ts';

/** SYSTEM_SECRET is the name or ARN of the system secret. */
export const systemSecretVariables = { SYSTEM_SECRET: z.string().check(z.minLength(1)) };

const held = new Map<string, HeldSecret>();

/** Returns the system secret. The services of a function share it, so that the function reads it once. */
export function systemSecret({ SYSTEM_SECRET: id }: { SYSTEM_SECRET: string }): HeldSecret {
  const secret = held.get(id) ?? new HeldSecret(() => readSecret(id));
  held.set(id, secret);
  return secret;
}
