import { createHash } from 'node:crypto';

/** Returns a weak ETag of a response body, before any content coding. */
export const etagOf = (body: string | Buffer): string =>
  `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

/** Returns whether `If-None-Match` names the ETag, by weak comparison (RFC 9110, section 13.1.2). */
export const isNamed = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^(W\/)?/, 'W/') === etag) ?? false;
