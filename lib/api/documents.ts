import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { etagOf } from './etags.ts';

const compress = promisify(gzip);

/**
 * A body that is the same for every client until the process ends. It is made and compressed once, and held as bytes that
 * every answer sends without a copy, so that thousands of slow readers cost no more memory than one.
 */
export interface Document {
  contentType: string;
  plain: Buffer;
  gzipped: Buffer;
  etag: string;
  headers: Record<string, string>;
}

/** Returns a function that makes the document at its first call; a failure is thrown, and the next call tries again. */
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
