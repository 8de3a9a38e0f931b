import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FileLock } from '../../lib/sqlite/file-lock.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

const module = path.resolve(import.meta.dirname, '../../lib/sqlite/file-lock.ts');

test('a lock is held by one process at a time, leaves one empty file, and can be taken again once it is released', () => {
  const folder = dataFolder();
  const file = path.join(folder, 'lock');
  const takenByAnother = () =>
    execFileSync(
      process.execPath,
      [
        '-e',
        `import(process.argv[1]).then(({ FileLock }) => console.log(!!FileLock.take(process.argv[2])))`,
        module,
        file,
      ],
      { encoding: 'utf8' },
    ).trim();
  const lock = FileLock.take(file);
  expect(FileLock.take(file)).toBeUndefined();
  expect(takenByAnother()).toBe('false');
  expect(readdirSync(folder)).toEqual(['lock']);
  lock?.release();
  expect(takenByAnother()).toBe('true');
});

test('an error names the lock file when it cannot be created or is another file', () => {
  const folder = dataFolder();
  const file = path.join(folder, 'lock');
  const message = `The lock file ${file} cannot be created or locked; it must be an empty file in a folder`;
  mkdirSync(file);
  expect(() => FileLock.take(file)).toThrow(message);
  const note = path.join(folder, 'note');
  writeFileSync(note, 'Remember the milk.'.repeat(100));
  expect(() => FileLock.take(note)).toThrow(message.replace(file, note));
  const nowhere = path.join(folder, 'none', 'lock');
  expect(() => FileLock.take(nowhere)).toThrow(message.replace(file, nowhere));
});
