import { closeSync, openSync, writeSync } from 'node:fs';
import { usualBody } from '../texts/usual-body.ts';

/** The token of the application in the file of {@link writeArchive}. */
export const importedToken = 'AAAAAAAAAAAAAAAAAAAAAA';
const time = '2026-01-01T00:00:00.000Z';
const linesAtOnce = 1_000;

/** Writes a file for `script/ops import`: an application with one chat of messages of the usual length. */
export function writeArchive(file: string, messages: number): void {
  const common = { revision: 0, created_at: time, updated_at: time };
  const descriptor = openSync(file, 'w');
  const write = (lines: object[]) => writeSync(descriptor, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  try {
    write([
      { kind: 'archive', format: 2 },
      { kind: 'application', token: importedToken, name: 'imported', ...common, highest: 1 },
      { kind: 'chat', number: 1, name: null, deleted: false, ...common, highest: messages },
    ]);
    for (let first = 1; first <= messages; first += linesAtOnce)
      write(
        Array.from({ length: Math.min(linesAtOnce, messages - first + 1) }, (_, i) => ({
          kind: 'message',
          chat: 1,
          number: first + i,
          body: usualBody,
          ...common,
        })),
      );
    write([{ kind: 'end', chats: 1, messages, deleted_messages: 0 }]);
  } finally {
    closeSync(descriptor);
  }
}
