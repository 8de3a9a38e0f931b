import { createHash, timingSafeEqual } from 'node:crypto';
import { MIMEType } from 'node:util';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Problem } from '../../lib/api/problems.ts';
import type { Route } from '../../lib/api/routes.ts';
import { limits } from '../../lib/limits.ts';

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/** Longer than any JSON type with its charset. MIMEType takes 100 ms for 16 kB of spaces. */
const longestContentType = 255;

const isJson = (contentType: string | undefined): boolean => {
  if (contentType && contentType.length > longestContentType) return false;
  try {
    const type = new MIMEType(contentType ?? '');
    const charset = type.params.get('charset')?.toLowerCase() ?? 'utf-8';
    return ['application/json', 'application/merge-patch+json'].includes(type.essence) && charset === 'utf-8';
  } catch {
    return false;
  }
};

/** Refuses what need not be read: no or a wrong admin key, another content type than JSON, too large a body. */
export function admission(route: Route, adminKey: string | undefined): MiddlewareObj<APIGatewayProxyEvent> {
  const expected = route.admin && adminKey ? digest(adminKey) : undefined;
  return {
    before: async ({ event }) => {
      // Comparing digests takes the same time whatever the given key is.
      if (expected && !timingSafeEqual(digest(event.headers['x-api-key'] ?? ''), expected))
        throw new Problem('admin_key_required', 'Send the admin key in the header x-api-key.');
      if (!route.body || !event.body) return;
      if (!isJson(event.headers['content-type']))
        throw new Problem('unsupported_media_type', 'Send the body as application/json, in UTF-8.');
      const bytes = Buffer.byteLength(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
      if (bytes > limits.requestBytes)
        throw new Problem('payload_too_large', `The body has more than ${limits.requestBytes} bytes.`);
    },
  };
}
