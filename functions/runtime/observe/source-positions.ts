import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceOrigin } from 'node:module';
import { once } from '../../../lib/once.ts';

/**
 * The source map of the bundle that contains this code; undefined when the code is not bundled. It is read when the first
 * error is logged. With `--enable-source-maps`, Node.js would read it at every start, which would take a quarter longer.
 */
const sourceMap = once(() => {
  const file = new URL(`${import.meta.url}.map`);
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
});

/** Replaces a position in the bundle, in a line of a stack trace, by the position in our sources. */
export const inOurSources = (line: string): string =>
  line.replace(/(file:.*):(\d+):(\d+)/, (position, file: string, row: string, column: string) => {
    if (file !== import.meta.url) return position;
    const origin: Partial<SourceOrigin> = sourceMap()?.findOrigin(Number(row), Number(column)) ?? {};
    // The map names files relative to the folder of the bundle.
    const source = origin.fileName?.replace(/^(\.\.\/)+/, '');
    return source ? `${source}:${origin.lineNumber}:${origin.columnNumber}` : position;
  });
