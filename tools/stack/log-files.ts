import { once } from 'node:events';
import { createReadStream, existsSync, statSync, watchFile } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastLines } from './last-lines.ts';

/** Time between two checks of a followed file, in milliseconds. */
const pollMs = 300;

/**
 * Prints the last lines of each file, each after the file's name; with `follow`, also new lines until the process
 * exits.
 */
export async function printLogFiles(
  files: { name: string; file: string }[],
  lines: number,
  follow: boolean,
): Promise<void> {
  const print = (name: string, line: string) => console.log(`${name.padEnd(10)} │ ${line}`);
  for (const { name, file } of files) {
    const tail = lastLines(file, lines);
    if (tail) for (const line of tail.split('\n')) print(name, line);
  }
  if (!follow) return;
  for (const { name, file } of files) {
    let read = existsSync(file) ? statSync(file).size : 0;
    let reading: Promise<unknown> = Promise.resolve();
    watchFile(file, { interval: pollMs }, ({ size }) => {
      const start = size < read ? 0 : read;
      if (size === start) return;
      read = size;
      reading = reading.then(() => {
        const input = createInterface({ input: createReadStream(file, { start, end: size - 1 }) });
        input.on('line', (line) => print(name, line));
        return once(input, 'close');
      });
    });
  }
}
