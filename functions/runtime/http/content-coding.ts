/**
 * Returns whether to compress a response to this `Accept-Encoding` with gzip (RFC 9110, section 12.5.3). A client
 * without the header gets no compression: the RFC would allow any coding, but such clients are mostly scripts that
 * cannot decode one.
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
