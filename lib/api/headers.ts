/** On every answer. Tokens are what protects an application, not origins: any web page may call. */
export const commonHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Link, Location, Retry-After, x-request-id',
  'x-content-type-options': 'nosniff',
};
