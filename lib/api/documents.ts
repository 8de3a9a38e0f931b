import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { etagOf } from './etags.ts';

const compress = promisify(gzip);

/**
 * A response body that is the same for every client until the process ends. It is built and compressed once, and every
 * response sends the same bytes without copying them. So thousands of slow readers take no more memory than one.
 */
export interface Document {
  contentType: string;
  plain: Buffer;
  gzipped: Buffer;
  etag: string;
  headers: Record<string, string>;
}

/**
 * Returns a function that builds the document at its first call. It throws when the build fails; the next call tries
 * again.
 */
export function documentOf(
  make: () => Promise<{ contentType: string; text: string; headers?: Record<string, string> }>,
): () => Promise<Document> {
  let made: Promise<Document> | undefined;
  const build = async (): Promise<Document> => {
    const { contentType, text, headers = {} } = await make();
    const plain = Buffer.from(text);
    return { contentType, plain, gzipped: await compress(plain), etag: etagOf(plain), headers };
  };
  return () => {
    made ??= build().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
