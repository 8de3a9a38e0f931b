import type { IncomingMessage } from 'node:http';

/** The value of a `Host` header: a name, an IPv4 address or an IPv6 address in brackets, and a port (RFC 3986). */
const hostPattern = /^(?:\[[\w:.%~!$&'()*+,;=-]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i;

/** Returns whether the head of a request keeps those rules of HTTP/1.1 that Node.js does not check. */
export function isWellFormed({ httpVersion, method, url, headers, rawHeaders }: IncomingMessage): boolean {
  // Node.js parses HTTP/0.9 and HTTP/2.0 as if they were HTTP/1.1.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return false;
  // Only OPTIONS may ask for the server as a whole (RFC 9112, section 3.2.4).
  if (url === '*' && method !== 'OPTIONS') return false;
  // We decode no other transfer coding, and HTTP/1.0 has none (RFC 9112, section 6.1).
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked')) return false;
  // Several hosts, or an invalid one, must be refused (RFC 9112, section 3.2). Node.js takes the first.
  const { host } = headers;
  if (host === undefined) return httpVersion === '1.0';
  return hostPattern.test(host) && hostLines(rawHeaders) === 1;
}

function hostLines(rawHeaders: string[]): number {
  let lines = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') lines++;
  }
  return lines;
}
