import { ArchiveProblem } from '../../lib/archive/format.ts';
import { limits } from '../../lib/limits.ts';

const lineEnd = 0x0a;
/** The first bytes of a file that gzip wrote. */
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/**
 * Yields the lines of a UTF-8 text. The line reader of Node.js would also split at U+2028 and U+2029, which JSON
 * strings may contain. Keeps at most one line of the permitted length and one chunk in memory.
 *
 * @throws ArchiveProblem for a compressed file, or naming the line that is not UTF-8 or longer than
 *   `limits.archiveLineBytes`
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let size = 0;
  let number = 1;
  const add = (part: Uint8Array) => {
    size += part.length;
    if (size > limits.archiveLineBytes)
      throw new ArchiveProblem(`Line ${number}: is longer than ${limits.archiveLineBytes} bytes.`);
    parts.push(part);
  };
  const take = () => {
    const bytes = Buffer.concat(parts, size);
    [parts, size] = [[], 0];
    if (number === 1 && bytes.indexOf(gzipMagic) === 0)
      throw new ArchiveProblem('The file is compressed. Decompress it first: gzip -dc FILE | script/ops import -');
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new ArchiveProblem(`Line ${number}: is not text in UTF-8.`, { cause: error });
    }
  };
  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
      add(chunk.subarray(from, end));
      yield take();
      number++;
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (size > 0) yield take();
}
