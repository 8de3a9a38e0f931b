import { OpsProblem } from './problem.ts';

/**
 * The lines of a text in UTF-8. Node.js's own reader would also end them at U+2028 and U+2029, which JSON may hold.
 *
 * @throws OpsProblem when it is no UTF-8
 */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      throw new OpsProblem('The file is no text in UTF-8.', { cause: error });
    }
  };
  let rest = '';
  for await (const chunk of input) {
    const lines = `${rest}${decoded(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoded();
  if (rest) yield rest;
}
