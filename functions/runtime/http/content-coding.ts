import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';

/** A body of fewer bytes is sent as it is: it fits into one packet with its headers, so compressing saves no time. */
const minBytes = 1_000;
/**
 * A body of up to this many bytes is compressed in this thread, which takes 0.04 ms for 10 kB and 0.1 ms for this size.
 * Handing it to another thread costs the thread that serves requests 0.09 ms.
 */
const maxBytesInThisThread = 32_768;
/**
 * The fastest level. A page of messages shrinks to a sixth. Level 6 takes five times as long, and makes the result a
 * fifth smaller.
 */
const level = constants.Z_BEST_SPEED;
/**
 * Maximum number of concurrent compressions on other threads. Each takes 0.3 MB, and the thread pool has four threads.
 */
const maxConcurrent = 4;

const compressElsewhere = promisify(gzip);
let underWay = 0;
const waiting: (() => void)[] = [];

/** The headers of a request, by their names in lower case. */
type Headers = Readonly<Record<string, string | undefined>>;

/** Returns whether a response with this body is compressed for clients that accept gzip. */
export const isCompressible = (body: string): boolean =>
  // A text has at least as many bytes as UTF-16 units. Counting those of 11 kB takes 2 to 10 µs.
  body.length >= minBytes || Buffer.byteLength(body) >= minBytes;

/**
 * Returns whether to compress a response to a request. API Gateway decodes Base64 only for a request that has an Accept
 * header. The embedded host adds the header to every event that lacks it.
 */
export const takesCompressed = (headers: Headers): boolean =>
  headers.accept !== undefined && takesGzip(headers['accept-encoding']);

/** Returns a body, compressed with gzip, in Base64. */
export async function compressed(body: string): Promise<string> {
  if (Buffer.byteLength(body) <= maxBytesInThisThread) return gzipSync(body, { level }).toString('base64');
  if (underWay === maxConcurrent) await new Promise<void>((resolve) => waiting.push(resolve));
  else underWay++;
  try {
    return (await compressElsewhere(body, { level })).toString('base64');
  } finally {
    // The next waiting compression takes the place of this one.
    const next = waiting.shift();
    if (next) next();
    else underWay--;
  }
}

/**
 * Returns whether a client with this `Accept-Encoding` prefers gzip (RFC 9110, section 12.5.3). A client without the
 * header gets no compression: the RFC would allow any coding, but most such clients are scripts that cannot decode
 * gzip.
 */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const element of acceptEncoding?.split(',') ?? []) {
    const [coding = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(coding, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0);
  }
  // x-gzip is an old name of gzip; `*` stands for every coding that is not named.
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
  return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}
