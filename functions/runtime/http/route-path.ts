/** Returns whether a path, as the client wrote it, is that of a route. */
export type PathCheck = (path: string) => boolean;

/** A percent-encoded letter, digit, `-`, `.`, `_` or `~`, which is equivalent to the character (RFC 9110, section 4.2.3). */
const needlesslyEncoded = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi;

/**
 * Returns the check of a route's paths. API Gateway ignores empty parts of a path, such as that after a slash at the
 * end. The contract refuses such a path, because a relative reference in the response would lead to another URL. What
 * precedes the route's path is not checked: behind a custom domain, an event's path begins with the domain's base path
 * mapping.
 *
 * @param template the route's path in the table, such as `/applications/{token}`
 */
export function pathCheck(template: string): PathCheck {
  // The base path itself may end with a slash.
  const path = template === '/' ? '' : template;
  const pattern = new RegExp(`${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
  return (requested) => {
    const decoded = requested.includes('%') ? requested.replace(needlesslyEncoded, decodeURIComponent) : requested;
    return pattern.test(decoded) && !decoded.includes('//');
  };
}
