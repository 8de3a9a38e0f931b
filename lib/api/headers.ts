/** On every answer. Tokens are what protects an application, not origins: any web page may call. */
export const commonHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Link, Location, Retry-After, x-request-id',
  'x-content-type-options': 'nosniff',
};

/**
 * On every problem. No cache may keep one: a 404 of a message that is not stored yet is wrong a moment later, and caches
 * may otherwise keep a 404 for as long as they guess (RFC 9110, section 15.1).
 */
export const problemHeaders = {
  ...commonHeaders,
  'cache-control': 'no-store',
  'content-type': 'application/problem+json',
};

/**
 * On answers about an application: only the client's own cache may keep them, and it asks for each use whether they still
 * hold (`If-None-Match`).
 */
export const privateAnswer = { 'cache-control': 'private, no-cache' };

/**
 * On the docs page and the OpenAPI document, which are the same for everyone: any cache may keep them, but asks for each
 * use, so that no client reads the contract of a release that is no longer deployed. An unchanged one costs a 304.
 */
export const publicDocument = { 'cache-control': 'no-cache', vary: 'accept-encoding' };
