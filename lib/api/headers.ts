/**
 * Headers of every response. Web pages of any origin may call the API, because applications are protected by tokens and
 * not by the origin of the page.
 */
export const commonHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Date, ETag, Link, Location, Retry-After, x-request-id',
  'x-content-type-options': 'nosniff',
};

/**
 * Headers of every response to a preflight. Any page may use any method and header. `*` does not cover `Authorization`,
 * which must be named (Fetch standard, CORS-preflight fetch).
 */
export const preflightHeaders = {
  'access-control-allow-methods': '*',
  'access-control-allow-headers': '*, Authorization',
  // A day. Browsers keep it for at most two hours (Chromium) to a day (Firefox).
  'access-control-max-age': '86400',
};

/**
 * Headers of every problem. No cache may store one: the 404 of a message that is not stored yet is wrong a moment
 * later. Without this header, a cache may keep a 404 for as long as it likes (RFC 9110, section 15.1).
 */
export const problemHeaders = {
  ...commonHeaders,
  'cache-control': 'no-store',
  'content-type': 'application/problem+json',
};

/**
 * Headers of responses about an application. Only the client's own cache may store them, and it must revalidate them
 * before each use (`If-None-Match`).
 */
export const privateResponse = { 'cache-control': 'private, no-cache' };

/**
 * Headers of a stream, besides the common ones. nginx buffers responses unless `X-Accel-Buffering` forbids it. The
 * connection closes after the stream, so its length need not be known.
 */
export const streamed = {
  ...privateResponse,
  'content-type': 'text/event-stream',
  'x-accel-buffering': 'no',
  connection: 'close',
};

/**
 * Headers of responses that contain a new credential, in addition to the common ones. No cache may store such a
 * response.
 */
export const secretResponse = { 'cache-control': 'no-store' };

/**
 * Headers of the docs page and the OpenAPI document, which are the same for everyone. Any cache may store them but must
 * revalidate them before each use, so no client reads the contract of a release that is no longer deployed. An
 * unchanged document costs a 304.
 */
export const publicDocument = { 'cache-control': 'no-cache', vary: 'accept-encoding' };
