import * as z from 'zod/mini';
import { Cursors } from '../../lib/api/cursors.ts';
import { HeldSecret } from './held-secret.ts';
import { provider } from './provider.ts';
import { readSecret } from './secrets.ts';

/**
 * Cursors that are signed with the system secret. SYSTEM_SECRET is its name or ARN. A start does not wait for the
 * secret.
 */
export const cursors = provider({
  variables: { SYSTEM_SECRET: z.string().check(z.minLength(1)) },
  create: ({ SYSTEM_SECRET }) => new Cursors(new HeldSecret(() => readSecret(SYSTEM_SECRET))),
});
