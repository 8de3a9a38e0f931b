/**
 * Decides what happens when the reader of this process's output stops early, as `head` does. Without a listener, the
 * next line would end the process with the stack of EPIPE.
 *
 * @param goesOn whether the process continues without its output, because it must not stop halfway
 */
export function onLostReader(goesOn: () => boolean): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => {
      // A reader that stops early is not an error.
      if (!goesOn()) process.exit();
    });
}
