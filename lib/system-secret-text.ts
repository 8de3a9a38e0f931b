import * as z from 'zod/mini';
import { limits } from './limits.ts';
import type { SystemKey } from './system-secret.ts';

// The text of the system secret in Secrets Manager: `{"key": "…", "signs_from": 1764313200000, "earlier": […]}`.
// CloudFormation creates the first one, and can write only `{"key": "…"}`.

const key = z.string().check(z.minLength(43));
const signsFrom = z._default(z.int(), 0);

const systemSecretText = z.pipe(
  z.transform((text: string): unknown => JSON.parse(text)),
  z.object({
    key,
    signs_from: signsFrom,
    earlier: z._default(z.array(z.object({ key, signs_from: signsFrom })), []),
  }),
);

/**
 * Returns the keys in the text of a system secret, the newest first.
 *
 * @throws Error when the text is not that of a system secret
 */
export function systemKeysIn(text: string): SystemKey[] {
  const { earlier, ...newest } = systemSecretText.parse(text);
  return [newest, ...earlier].map(({ key, signs_from }) => ({ key, signsFrom: signs_from }));
}

/**
 * Returns the text with another key in front. The new key starts to sign when every running function has read it. An
 * earlier key stays until everything that it signed has expired.
 *
 * @param now in milliseconds since 1970
 * @throws Error when the text is not that of a system secret
 */
export function withNewKey(text: string, key: string, now: number): string {
  const { signsAfterMs, verifiesMs } = limits.systemSecret;
  const keys = [{ key, signsFrom: now + signsAfterMs }, ...systemKeysIn(text)];
  // A key signs until the next newer key starts to sign.
  const kept = keys.filter((_, i) => i === 0 || (keys[i - 1] as SystemKey).signsFrom > now - verifiesMs);
  const [newest, ...earlier] = kept.map(({ key, signsFrom }) => ({ key, signs_from: signsFrom }));
  return JSON.stringify({ ...newest, earlier });
}
