import { isIPv4 } from 'node:net';

/**
 * Returns whether every browser resolves a host name or address to this machine without a name server: localhost and
 * its subdomains (RFC 6761, section 6.3), 127.0.0.0/8 and ::1, the latter with or without brackets.
 */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (isIPv4(name)) return name.startsWith('127.');
  return name === '::1' || name === '[::1]';
}

/** Returns the host name in a `Host` header, without its port; undefined if the header is not `host[:port]`. */
export const hostnameOf = (host: string): string | undefined => /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.exec(host)?.[1];
