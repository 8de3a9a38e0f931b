import { hash } from 'node:crypto';

/** Returns a weak ETag of a response body, before any content coding. */
export const etagOf = (body: string | Buffer): string => `W/"${hash('sha256', body, 'base64url').slice(0, 22)}"`;

/** An entity tag in a list (RFC 9110, section 8.8.3). Its text may contain commas and asterisks. */
const entityTag = /(?:^|,)[ \t]*(?:W\/)?"([^"]*)"[ \t]*(?=,|$)/g;

/** Returns whether `If-None-Match` names the ETag, by weak comparison (RFC 9110, section 13.1.2). */
export function isNamed(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return [...ifNoneMatch.matchAll(entityTag)].some(([, text]) => etag === `W/"${text}"`);
}
